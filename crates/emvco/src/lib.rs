//! What a merchant's QR code says, by the EMV QR Code Specification for Payment Systems, Merchant-Presented
//! Mode 1.1: [`Payload`] to text and back.
//!
//! It promises that what it writes is within the specification's lengths and ends in the right checksum, that it
//! reads what it wrote, and that a text with a wrong checksum, a wrong length, a field twice or a missing
//! mandatory one is refused by name. It must never know what is paid for, nor how a code is drawn.

mod currency;
mod field;
mod read;
mod write;

pub use currency::currency_number;

use thiserror::Error;

/// Whether a code is for one payment or hangs on the wall (data object 01).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Initiation {
    /// The same code for every payment (`11`).
    Static,
    /// A code made for one payment (`12`).
    Dynamic,
}

/// Who is paid, in a scheme's own words (data objects 26 to 51).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// The scheme: a reverse domain name, 1 to 32 characters (`00` within).
    pub scheme: String,
    /// The merchant within it (`01` within), 1 to 50 characters.
    pub merchant: String,
}

/// Name and city in another language (data object 64).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Localised {
    /// The language, two letters of ISO 639.
    pub language: String,
    /// The merchant's name in it, 1 to 25 characters.
    pub name: String,
    /// The city in it, 1 to 15 characters.
    pub city: Option<String>,
}

/// What a code says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payload {
    /// One payment or any.
    pub initiation: Initiation,
    /// Who is paid; one a scheme, at most 26, at least one.
    pub accounts: Vec<Account>,
    /// The merchant category code of ISO 18245, 0 to 9999 (data object 52).
    pub category: u16,
    /// The currency's number by ISO 4217, 0 to 999; the won's is 410 (data object 53).
    pub currency: u16,
    /// How much in whole currency units, digits with at most one point, 1 to 13 characters (data object 54). Whoever pays says it
    /// where there is none.
    pub amount: Option<String>,
    /// Two capital letters of ISO 3166-1 (data object 58).
    pub country: String,
    /// The merchant's name in printable ASCII, 1 to 25 characters (data object 59).
    pub name: String,
    /// The merchant's city in printable ASCII, 1 to 15 characters (data object 60).
    pub city: String,
    /// What the merchant calls this payment, 1 to 25 characters (data object 62, `05` within).
    pub reference: Option<String>,
    /// Which till, 1 to 25 characters (data object 62, `07` within).
    pub terminal: Option<String>,
    /// Name and city in another language.
    pub localised: Option<Localised>,
}

impl Payload {
    /// The text that the code holds.
    ///
    /// # Errors
    /// [`Refused::Field`] with the data object that is not as the specification has it; [`Refused::TooLong`] for
    /// more than 512 characters.
    pub fn write(&self) -> Result<String, Refused> {
        write::write(self)
    }

    /// What `text` says. Data objects that are not named here are passed over.
    ///
    /// # Errors
    /// [`Refused::Checksum`] first of all; then what is wrong with it.
    pub fn read(text: &str) -> Result<Self, Refused> {
        read::read(text)
    }
}

/// Why a payload is not one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Refused {
    /// The text does not end in the checksum of what stands before it.
    #[error("the checksum does not fit: read the code again")]
    Checksum,
    /// A data object ends before its length, or its id or length is no number.
    #[error(
        "the code is not made of data objects with an id of two digits and a length of two digits"
    )]
    Structure,
    /// A data object stands there twice.
    #[error("data object {0:02} stands there twice")]
    Twice(u8),
    /// A mandatory data object is missing.
    #[error("data object {0:02} is missing")]
    Missing(u8),
    /// A data object holds what it may not.
    #[error("data object {0:02} is not as the specification has it")]
    Field(u8),
    /// The whole is longer than a code may be.
    #[error("the code would be longer than 512 characters")]
    TooLong,
}

/// The most characters of a payload (section 3.2 of the specification).
const LONGEST: usize = 512;

/// The checksum over `text`: CRC-16 with polynomial 1021 and initial value FFFF, four capital hexadecimal digits.
fn checksum(text: &str) -> String {
    const CRC: crc::Crc<u16> = crc::Crc::<u16>::new(&crc::CRC_16_IBM_3740);
    format!("{:04X}", CRC.checksum(text.as_bytes()))
}

#[cfg(test)]
mod tests;
