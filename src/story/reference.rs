//! `docs/STORIES.md`: the guide, and the reference of every statement made from its form.

use super::forms::CHAPTERS;
use super::text::Form;

const GUIDE: &str = include_str!("guide.md");

/// The whole page.
pub fn reference() -> String {
    let mut page = String::from(
        "<!-- Written by `mizan story grammar > docs/STORIES.md`: change src/story, then run it \
         again. -->\n\n",
    );
    page.push_str(GUIDE);
    for chapter in CHAPTERS {
        page.push_str(&format!("\n### {}\n", chapter.title));
        for form in chapter.forms {
            page.push_str(&section(form));
        }
    }
    page
}

fn section(form: &Form) -> String {
    let mut text = format!("\n**`{}`**", form.shape());
    for clause in form.clause_shapes() {
        text.push_str(&format!(" · `{clause}`"));
    }
    text.push_str(&format!("\n\n{}\n", form.says));
    for child in form.children {
        let clauses: Vec<String> =
            child.clause_shapes().iter().map(|clause| format!(" · `{clause}`")).collect();
        let (shape, says) = (child.shape(), child.says);
        text.push_str(&format!("- below it `{shape}`{}: {says}\n", clauses.concat()));
    }
    text.push_str(&format!("\n```text\n{}\n```\n", form.example));
    text
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_document_is_the_one_that_the_program_writes() {
        let there = include_str!("../../docs/STORIES.md");
        let hint = "run `mizan story grammar > docs/STORIES.md`";
        assert!(there == super::reference(), "docs/STORIES.md is old: {hint}");
    }
}
