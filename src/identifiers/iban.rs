//! The IBAN of ISO 13616: length and structure by country, and mod 97 digit by digit.

use std::fmt;

use super::{Fault, IdentifierError, compact, fits};

const KIND: &str = "IBAN";

/// What follows the four characters in front, by country: IBAN registry, release 101. `n` are
/// digits, `a` letters, `c` either.
const STRUCTURES: &[(&str, &str)] = &[
    ("AD", "8n12c"),
    ("AE", "19n"),
    ("AL", "8n16c"),
    ("AT", "16n"),
    ("AZ", "4a20c"),
    ("BA", "16n"),
    ("BE", "12n"),
    ("BG", "4a6n8c"),
    ("BH", "4a14c"),
    ("BI", "23n"),
    ("BR", "23n1a1c"),
    ("BY", "4c4n16c"),
    ("CH", "5n12c"),
    ("CR", "18n"),
    ("CY", "8n16c"),
    ("CZ", "20n"),
    ("DE", "18n"),
    ("DJ", "23n"),
    ("DK", "14n"),
    ("DO", "4c20n"),
    ("EE", "16n"),
    ("EG", "25n"),
    ("ES", "20n"),
    ("FI", "14n"),
    ("FK", "2a12n"),
    ("FO", "14n"),
    ("FR", "10n11c2n"),
    ("GB", "4a14n"),
    ("GE", "2a16n"),
    ("GI", "4a15c"),
    ("GL", "14n"),
    ("GR", "7n16c"),
    ("GT", "24c"),
    ("HN", "4a20n"),
    ("HR", "17n"),
    ("HU", "24n"),
    ("IE", "4a14n"),
    ("IL", "19n"),
    ("IQ", "4a15n"),
    ("IS", "22n"),
    ("IT", "1a10n12c"),
    ("JO", "4a4n18c"),
    ("KW", "4a22c"),
    ("KZ", "3n13c"),
    ("LB", "4n20c"),
    ("LC", "4a24c"),
    ("LI", "5n12c"),
    ("LT", "16n"),
    ("LU", "3n13c"),
    ("LV", "4a13c"),
    ("LY", "21n"),
    ("MC", "10n11c2n"),
    ("MD", "20c"),
    ("ME", "18n"),
    ("MK", "3n10c2n"),
    ("MN", "16n"),
    ("MR", "23n"),
    ("MT", "4a5n18c"),
    ("MU", "4a19n3a"),
    ("NI", "4a20n"),
    ("NL", "4a10n"),
    ("NO", "11n"),
    ("OM", "3n16c"),
    ("PK", "4a16c"),
    ("PL", "24n"),
    ("PS", "4a21c"),
    ("PT", "21n"),
    ("QA", "4a21c"),
    ("RO", "4a16c"),
    ("RS", "18n"),
    ("RU", "14n15c"),
    ("SA", "2n18c"),
    ("SC", "4a20n3a"),
    ("SD", "14n"),
    ("SE", "20n"),
    ("SI", "15n"),
    ("SK", "20n"),
    ("SM", "1a10n12c"),
    ("SO", "19n"),
    ("ST", "21n"),
    ("SV", "4a20n"),
    ("TL", "19n"),
    ("TN", "20n"),
    ("TR", "6n16c"),
    ("UA", "6n19c"),
    ("VA", "18n"),
    ("VG", "4a16n"),
    ("XK", "16n"),
    ("YE", "4a4n18c"),
];

/// An IBAN without blanks, in upper case.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Iban(String);

impl Iban {
    /// Reads an IBAN, in groups or not.
    ///
    /// # Errors
    /// The check that failed, with what was expected.
    pub fn parse(text: &str) -> Result<Iban, IdentifierError> {
        let text = compact(text);
        let refuse = |fault| Err(IdentifierError { kind: KIND, fault });
        if !text.is_ascii() || text.len() < 4 {
            let expected = "two letters of a country, two digits and the account";
            return refuse(Fault::Form { expected });
        }
        let (country, digits) = (&text[..2], &text[2..4]);
        let Some(pattern) = pattern_of(country) else {
            let hint = "use the account number with the bank's routing code";
            return refuse(Fault::Country { found: country.to_owned(), hint });
        };
        fits(KIND, &text, &format!("aann{pattern}"))?;
        let expected = format!("{:02}", 98 - mod_97(&format!("{}{country}00", &text[4..])));
        if mod_97(&format!("{}{}", &text[4..], &text[..4])) != 1 || expected != digits {
            let found = digits.to_owned();
            return refuse(Fault::Check { part: "digits", expected, found });
        }
        Ok(Iban(text))
    }

    /// The characters, without blanks.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The country of the account, ISO 3166.
    pub fn country(&self) -> &str {
        &self.0[..2]
    }
}

impl fmt::Debug for Iban {
    /// The country and the last four characters: logs are no place for an account.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}…{}", self.country(), &self.0[self.0.len() - 4..])
    }
}

/// One letter for each character behind the first four.
fn pattern_of(country: &str) -> Option<String> {
    let (_, structure) = STRUCTURES.iter().find(|(code, _)| *code == country)?;
    let mut pattern = String::new();
    let mut count = 0;
    for c in structure.chars() {
        match c.to_digit(10) {
            Some(digit) => count = count * 10 + digit as usize,
            None => {
                pattern.extend(std::iter::repeat_n(c, count));
                count = 0;
            }
        }
    }
    Some(pattern)
}

/// The remainder by 97 of the number that letters and digits make, A being 10 and Z 35.
fn mod_97(text: &str) -> u32 {
    text.chars().filter_map(|c| c.to_digit(36)).fold(0, |rest, value| {
        if value < 10 { (rest * 10 + value) % 97 } else { (rest * 100 + value) % 97 }
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use serde_json::Value;

    use super::*;

    const LENGTHS: &str = "AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BI27 BR29 BY28 CH21 CR22 \
        CY28 CZ24 DE22 DJ27 DK18 DO28 EE20 EG29 ES24 FI18 FK18 FO18 FR27 GB22 GE22 GI23 GL18 GR27 \
        GT28 HN28 HR21 HU28 IE22 IL23 IQ23 IS26 IT27 JO30 KW30 KZ20 LB28 LC32 LI21 LT20 LU20 LV21 \
        LY25 MC27 MD24 ME22 MK19 MN20 MR27 MT31 MU30 NI28 NL18 NO15 OM23 PK24 PL28 PS29 PT25 QA29 \
        RO24 RS22 RU33 SA24 SC31 SD18 SE24 SI19 SK24 SM27 SO23 ST25 SV28 TL23 TN24 TR26 UA29 VA22 \
        VG24 XK20 YE30";

    #[test]
    fn every_country_has_the_length_of_the_registry() {
        let lengths: Vec<String> = STRUCTURES
            .iter()
            .map(|(code, _)| format!("{code}{}", pattern_of(code).unwrap().len() + 4))
            .collect();
        assert_eq!(lengths.join(" "), LENGTHS.split_whitespace().collect::<Vec<_>>().join(" "));
    }

    #[test]
    fn the_vectors_are_told_apart_with_their_reason() {
        let vectors = include_str!("../../tests/fixtures/identifiers/iban.json");
        let vectors: Value = serde_json::from_str(vectors).unwrap();
        for valid in vectors["valid"].as_array().unwrap() {
            let iban = Iban::parse(valid.as_str().unwrap()).unwrap();
            assert_eq!(iban.as_str(), valid.as_str().unwrap());
        }
        for invalid in vectors["invalid"].as_array().unwrap() {
            let error = Iban::parse(invalid["value"].as_str().unwrap()).unwrap_err();
            let fits = match invalid["why"].as_str().unwrap() {
                "check digits" => matches!(error.fault, Fault::Check { .. }),
                "length" => matches!(error.fault, Fault::Length { expected: 23, .. }),
                "country has no IBAN" => matches!(error.fault, Fault::Country { .. }),
                "letters where digits are required" => {
                    matches!(error.fault, Fault::Character { at: 5, .. })
                }
                _ => false,
            };
            assert!(fits, "{invalid}: {error}");
        }
    }

    #[test]
    fn blanks_and_small_letters_are_fine_and_digits_swapped_are_not() {
        let iban = Iban::parse("ae07 0331 2345 6789 0123 456").unwrap();
        assert_eq!((iban.as_str(), iban.country()), ("AE070331234567890123456", "AE"));
        assert_eq!(format!("{iban:?}"), "AE…3456");
        let error = Iban::parse("AE700331234567890123456").unwrap_err().to_string();
        assert_eq!(
            error,
            "not a valid IBAN: the check digits should be 07 and is 70: a character was mistyped"
        );
        for text in ["", "AE", "ä7033123", "🦀🦀"] {
            assert!(Iban::parse(text).is_err());
        }
        // 98 − remainder lies between 02 and 98: 00, 01 and 99 pass mod 97 and are refused.
        assert!(Iban::parse("GB00NWBK60161331926819").is_err());
    }
}
