//! Who is heard.

use bongsu_base::DataCentre;
use rustls::client::danger::HandshakeSignatureValid;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{CertificateError, DigitallySignedStruct, DistinguishedName, Error, SignatureScheme};
use std::sync::Arc;
use webpki::EndEntityCert;

/// Admits those data centres alone that were named. That a certificate is in force, and was issued by
/// the authority, is looked at first.
#[derive(Debug)]
pub(crate) struct Admission {
    chain: Arc<dyn ClientCertVerifier>,
    names: Vec<DataCentre>,
}

impl Admission {
    pub(crate) fn new(chain: Arc<dyn ClientCertVerifier>, names: &[DataCentre]) -> Self {
        Self {
            chain,
            names: names.to_vec(),
        }
    }
}

impl ClientCertVerifier for Admission {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        self.chain.root_hint_subjects()
    }

    fn verify_client_cert(
        &self,
        certificate: &CertificateDer<'_>,
        between: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        let verified = self.chain.verify_client_cert(certificate, between, now)?;
        match of(certificate, &self.names) {
            Some(_) => Ok(verified),
            None => Err(CertificateError::ApplicationVerificationFailure.into()),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.chain
            .verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.chain
            .verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.chain.supported_verify_schemes()
    }
}

/// The first of `names` whose certificate this is.
pub(crate) fn of<'n>(
    certificate: &CertificateDer<'_>,
    names: &'n [DataCentre],
) -> Option<&'n DataCentre> {
    names.iter().find(|name| is_of(certificate, name))
}

/// Whether this certificate is the one of the data centre `name`. Whether it is in force is not asked.
pub(crate) fn is_of(certificate: &CertificateDer<'_>, name: &DataCentre) -> bool {
    let (Ok(certificate), Ok(name)) = (
        EndEntityCert::try_from(certificate),
        ServerName::try_from(name.as_str()),
    ) else {
        return false;
    };
    certificate.verify_is_valid_for_subject_name(&name).is_ok()
}
