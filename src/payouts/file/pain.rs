//! Payments as a message of ISO 20022, pain.001.001.09 (customer credit transfer initiation).
//!
//! One batch for each currency and service: SEPA for euros between accounts there, urgent for
//! wires, and the bank's own choice for the rest. Addresses are structured.

use std::collections::BTreeMap;
use std::io;

use mizan_money::{Currency, Money};
use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesText, Event};

use super::latin::latin;
use super::{Contents, Payment, end_to_end};
use crate::config::PayoutsConfig;
use crate::identifiers::{Bic, Iban};
use crate::payouts::bank_account::Number;
use crate::payouts::error::{PayoutError, corrupt};

const NAMESPACE: &str = "urn:iso:std:iso:20022:tech:xsd:pain.001.001.09";

/// Countries whose banks are reached over SEPA (EPC409-09), by the first letters of an IBAN.
const SEPA: &str = "AD AL AT BE BG CH CY CZ DE DK EE ES FI FR GB GI GR HR HU IE IS IT LI LT LU LV \
                    MC MD ME MK MT NL NO PL PT RO RS SE SI SK SM VA";

/// Who orders the payments, as the settings say.
struct Debtor<'a> {
    name: &'a str,
    iban: Iban,
    bic: Option<Bic>,
    address: Option<(&'a str, &'a str)>,
}

/// By which service a bank sends a payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Service {
    Sepa,
    Urgent,
    Any,
}

type Xml = Writer<Vec<u8>>;

fn debtor(rules: &PayoutsConfig) -> Result<Debtor<'_>, PayoutError> {
    let unset = |name: &str, why: String| PayoutError::Unwritable {
        message: format!("The setting payouts.{name} {why}; or take the file as `csv`."),
    };
    let needed = |name, value: &'_ Option<String>| {
        value.as_ref().map(|_| ()).ok_or_else(|| unset(name, "is missing".to_owned()))
    };
    needed("debtor_name", &rules.debtor_name)?;
    needed("debtor_iban", &rules.debtor_iban)?;
    let iban = Iban::parse(rules.debtor_iban.as_deref().unwrap_or_default());
    let iban = iban.map_err(|error| unset("debtor_iban", format!("is {error}")))?;
    let bic = rules.debtor_bic.as_deref().map(Bic::parse).transpose();
    let bic = bic.map_err(|error| unset("debtor_bic", format!("is {error}")))?;
    let address = rules.debtor_town.as_deref().zip(rules.debtor_country.as_deref());
    Ok(Debtor { name: rules.debtor_name.as_deref().unwrap_or_default(), iban, bic, address })
}

fn service(payment: &Payment, debtor: &Debtor<'_>) -> Service {
    let reached = |country: &str| SEPA.split_whitespace().any(|it| it == country);
    match &payment.to.number {
        _ if payment.rail == "wire" => Service::Urgent,
        Number::Iban(iban)
            if payment.amount.currency() == Currency::EUR
                && iban.get(..2).is_some_and(reached)
                && reached(debtor.iban.country()) =>
        {
            Service::Sepa
        }
        _ => Service::Any,
    }
}

/// The message.
///
/// # Errors
/// A debtor that the settings do not name, a name that SEPA cannot spell.
pub(super) fn write(contents: &Contents, rules: &PayoutsConfig) -> Result<String, PayoutError> {
    let debtor = debtor(rules)?;
    let mut batches: BTreeMap<(Currency, Service), Vec<&Payment>> = BTreeMap::new();
    for payment in &contents.payments {
        let service = service(payment, &debtor);
        if service == Service::Sepa && latin(&payment.to.holder).is_none() {
            let message = format!(
                "The holder of the account of {} cannot be spelled in SEPA's letters: set the \
                 bank account with a name in Latin letters.",
                payment.payee
            );
            return Err(PayoutError::Unwritable { message });
        }
        batches.entry((payment.amount.currency(), service)).or_default().push(payment);
    }
    let mut xml = Writer::new_with_indent(Vec::new(), b' ', 2);
    message(&mut xml, contents, &debtor, &batches).map_err(corrupt)?;
    let mut text = String::from_utf8(xml.into_inner()).map_err(corrupt)?;
    text.push('\n');
    Ok(text)
}

fn message(
    xml: &mut Xml,
    contents: &Contents,
    debtor: &Debtor<'_>,
    batches: &BTreeMap<(Currency, Service), Vec<&Payment>>,
) -> io::Result<()> {
    let file = contents.id.uuid().simple().to_string();
    xml.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
    let document = xml.create_element("Document").with_attribute(("xmlns", NAMESPACE));
    document.write_inner_content(|xml| {
        inside(xml, "CstmrCdtTrfInitn", |xml| {
            inside(xml, "GrpHdr", |xml| {
                say(xml, "MsgId", &format!("PF-{file}"))?;
                say(xml, "CreDtTm", &contents.made_at.format("%Y-%m-%dT%H:%M:%SZ").to_string())?;
                say(xml, "NbOfTxs", &contents.payments.len().to_string())?;
                say(xml, "CtrlSum", &sum(contents.payments.iter().map(|it| it.amount)))?;
                inside(xml, "InitgPty", |xml| say(xml, "Nm", debtor.name))
            })?;
            for (n, ((_, service), payments)) in batches.iter().enumerate() {
                let name = format!("{file}-{}", n + 1);
                inside(xml, "PmtInf", |xml| {
                    batch(xml, contents, debtor, (&name, *service), payments)
                })?;
            }
            Ok(())
        })
    })?;
    Ok(())
}

fn batch(
    xml: &mut Xml,
    contents: &Contents,
    debtor: &Debtor<'_>,
    (name, service): (&str, Service),
    payments: &[&Payment],
) -> io::Result<()> {
    say(xml, "PmtInfId", name)?;
    say(xml, "PmtMtd", "TRF")?;
    say(xml, "BtchBookg", "true")?;
    say(xml, "NbOfTxs", &payments.len().to_string())?;
    say(xml, "CtrlSum", &sum(payments.iter().map(|it| it.amount)))?;
    let level = match service {
        Service::Sepa => Some("SEPA"),
        Service::Urgent => Some("URGP"),
        Service::Any => None,
    };
    if let Some(level) = level {
        inside(xml, "PmtTpInf", |xml| inside(xml, "SvcLvl", |xml| say(xml, "Cd", level)))?;
    }
    inside(xml, "ReqdExctnDt", |xml| say(xml, "Dt", &contents.execution.to_string()))?;
    inside(xml, "Dbtr", |xml| {
        let name = spelled(debtor.name, service);
        say(xml, "Nm", &name)?;
        address(xml, debtor.address, service)
    })?;
    inside(xml, "DbtrAcct", |xml| inside(xml, "Id", |xml| say(xml, "IBAN", debtor.iban.as_str())))?;
    inside(xml, "DbtrAgt", |xml| {
        inside(xml, "FinInstnId", |xml| match &debtor.bic {
            Some(bic) => say(xml, "BICFI", bic.as_str()),
            None => inside(xml, "Othr", |xml| say(xml, "Id", "NOTPROVIDED")),
        })
    })?;
    say(xml, "ChrgBr", if service == Service::Sepa { "SLEV" } else { "SHAR" })?;
    for payment in payments {
        inside(xml, "CdtTrfTxInf", |xml| transfer(xml, payment, service))?;
    }
    Ok(())
}

fn transfer(xml: &mut Xml, payment: &Payment, service: Service) -> io::Result<()> {
    let name = end_to_end(payment.payout);
    inside(xml, "PmtId", |xml| {
        say(xml, "InstrId", &name)?;
        say(xml, "EndToEndId", &name)
    })?;
    let (amount, to) = (payment.amount, &payment.to);
    inside(xml, "Amt", |xml| {
        let element = xml.create_element("InstdAmt");
        let element = element.with_attribute(("Ccy", amount.currency().code()));
        element.write_text_content(BytesText::new(&amount.major_string())).map(drop)
    })?;
    let clearing = match &to.number {
        Number::Local { scheme, routing, .. } => Some((scheme.clearing_code(), routing.as_str())),
        _ => None,
    };
    if to.bic.is_some() || clearing.is_some() {
        inside(xml, "CdtrAgt", |xml| {
            inside(xml, "FinInstnId", |xml| {
                if let Some(bic) = &to.bic {
                    say(xml, "BICFI", bic)?;
                }
                let Some((system, member)) = clearing else { return Ok(()) };
                inside(xml, "ClrSysMmbId", |xml| {
                    inside(xml, "ClrSysId", |xml| say(xml, "Cd", system))?;
                    say(xml, "MmbId", member)
                })
            })
        })?;
    }
    inside(xml, "Cdtr", |xml| {
        say(xml, "Nm", &spelled(&to.holder, service))?;
        let town = to.town.as_deref().map(|town| (town, to.country.as_str()));
        address(xml, town, service)
    })?;
    inside(xml, "CdtrAcct", |xml| {
        inside(xml, "Id", |xml| match &to.number {
            Number::Iban(iban) => say(xml, "IBAN", iban),
            Number::Local { account, .. } | Number::Gateway { account, .. } => {
                inside(xml, "Othr", |xml| say(xml, "Id", account))
            }
        })
    })?;
    inside(xml, "Purp", |xml| say(xml, "Cd", "SUPP"))?;
    inside(xml, "RmtInf", |xml| {
        say(xml, "Ustrd", &format!("Payout {}", payment.payout.uuid().simple()))
    })
}

fn address(xml: &mut Xml, address: Option<(&str, &str)>, service: Service) -> io::Result<()> {
    let Some((town, country)) = address else { return Ok(()) };
    inside(xml, "PstlAdr", |xml| {
        let town: String = spelled(town, service).chars().take(35).collect();
        say(xml, "TwnNm", &town)?;
        say(xml, "Ctry", country)
    })
}

/// A text as its service takes it.
fn spelled(text: &str, service: Service) -> String {
    let plain = match service {
        Service::Sepa => latin(text).unwrap_or_else(|| text.to_owned()),
        _ => text.to_owned(),
    };
    plain.chars().take(140).collect()
}

/// The sum of the figures, whatever their currency: what a bank holds the file to.
fn sum(amounts: impl Iterator<Item = Money>) -> String {
    let sum = amounts.map(Money::to_decimal).reduce(|a, b| a + b);
    sum.map(|it| it.normalize().to_string()).unwrap_or_else(|| "0".to_owned())
}

fn say(xml: &mut Xml, name: &str, text: &str) -> io::Result<()> {
    // Two characters that Unicode has and XML 1.0 has not.
    let text = text.replace(['\u{fffe}', '\u{ffff}'], "?");
    xml.create_element(name).write_text_content(BytesText::new(&text)).map(drop)
}

fn inside(
    xml: &mut Xml,
    name: &str,
    content: impl FnOnce(&mut Xml) -> io::Result<()>,
) -> io::Result<()> {
    xml.create_element(name).write_inner_content(content).map(drop)
}
