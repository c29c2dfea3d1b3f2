//! Names in the letters that SEPA takes.

/// What else than letters and digits may stand in a text (EPC guidance on characters).
const SIGNS: &str = "/-?:().,'+ ";

/// A text in SEPA's letters: accents go, ligatures are spelled. None where a letter has no such
/// spelling.
pub(super) fn latin(text: &str) -> Option<String> {
    let mut plain = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            it if it.is_ascii_alphanumeric() || SIGNS.contains(it) => plain.push(it),
            '&' => plain.push('+'),
            '_' | '–' | '—' => plain.push('-'),
            '’' | '‘' | '`' | '"' => plain.push('\''),
            it => plain.push_str(spelled(it)?),
        }
    }
    Some(plain)
}

fn spelled(letter: char) -> Option<&'static str> {
    Some(match letter {
        'À'..='Ã' | 'Ā' | 'Ă' | 'Ą' => "A",
        'à'..='ã' | 'ā' | 'ă' | 'ą' => "a",
        'Ä' | 'Æ' => "Ae",
        'ä' | 'æ' => "ae",
        'Å' => "Aa",
        'å' => "aa",
        'Ç' | 'Ć' | 'Č' => "C",
        'ç' | 'ć' | 'č' => "c",
        'Ď' | 'Đ' => "D",
        'ď' | 'đ' => "d",
        'È'..='Ë' | 'Ē' | 'Ė' | 'Ę' | 'Ě' => "E",
        'è'..='ë' | 'ē' | 'ė' | 'ę' | 'ě' => "e",
        'Ğ' => "G",
        'ğ' => "g",
        'Ì'..='Ï' | 'Ī' | 'İ' => "I",
        'ì'..='ï' | 'ī' | 'ı' => "i",
        'Ł' | 'Ľ' => "L",
        'ł' | 'ľ' => "l",
        'Ñ' | 'Ń' | 'Ň' => "N",
        'ñ' | 'ń' | 'ň' => "n",
        'Ò'..='Õ' | 'Ō' | 'Ő' => "O",
        'ò'..='õ' | 'ō' | 'ő' => "o",
        'Ö' | 'Ø' | 'Œ' => "Oe",
        'ö' | 'ø' | 'œ' => "oe",
        'Ř' => "R",
        'ř' => "r",
        'Ś' | 'Ş' | 'Š' | 'Ș' => "S",
        'ś' | 'ş' | 'š' | 'ș' => "s",
        'ß' => "ss",
        'Ť' | 'Ţ' | 'Ț' => "T",
        'ť' | 'ţ' | 'ț' => "t",
        'Ù'..='Û' | 'Ū' | 'Ů' | 'Ű' => "U",
        'ù'..='û' | 'ū' | 'ů' | 'ű' => "u",
        'Ü' => "Ue",
        'ü' => "ue",
        'Ý' | 'Ÿ' => "Y",
        'ý' | 'ÿ' => "y",
        'Ź' | 'Ż' | 'Ž' => "Z",
        'ź' | 'ż' | 'ž' => "z",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::latin;

    #[test]
    fn names_keep_their_sound_or_are_refused() {
        assert_eq!(latin("Düft & Söhne GmbH").as_deref(), Some("Dueft + Soehne GmbH"));
        assert_eq!(latin("Café Ñandú S.à r.l.").as_deref(), Some("Cafe Nandu S.a r.l."));
        assert_eq!(latin("متجر العطور"), None);
    }
}
