//! Whose certificates the outgoing client believes: the platform's authorities, and those that `SSL_CERT_FILE` names.
//!
//! The variable is read from the environment, which a test must not change under others: each try is a process of its
//! own, this test started again with other variables.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use domain::{Clock, Timestamp, Urls};
use federation::Config;
use federation::client::{Budget, Client, FetchError, Want};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, date_time_ymd};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::process::Command;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::aws_lc_rs::default_provider;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;
use url::Url;

/// What a process that was started again is to ask for, and what is to come of it.
const ADDRESS: &str = "PORCHLIGHT_TEST_TLS_ADDRESS";
const BELIEVED: &str = "PORCHLIGHT_TEST_TLS_BELIEVED";

const NOW: Timestamp = Timestamp(1_795_000_000_000);

async fn ask(address: &str) -> Result<(), FetchError> {
    let config = Config { allow_addresses: vec!["127.0.0.0/8".parse().unwrap()], ..Config::default() };
    let urls = Urls::new(&Url::parse("https://maple.example").unwrap()).unwrap();
    let client = Client::new(&config, &urls, Clock::manual(NOW)).unwrap();
    client.get(&Url::parse(address).unwrap(), Want::Activity, None, &Budget::new(1)).await.map(|_| ())
}

/// An authority of one's own.
struct Authority {
    certificate: String,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap().pem();
        Self { certificate, issuer: Issuer::new(params, key) }
    }

    /// What a server of this name shows.
    fn server(&self, name: &str, until: i32) -> Arc<ServerConfig> {
        let mut params = CertificateParams::new([name.to_owned()]).unwrap();
        params.not_after = date_time_ymd(until, 1, 1);
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        let config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key)
            .unwrap();
        Arc::new(config)
    }
}

/// Answers `{}` to everybody who believes the certificate, and counts them.
async fn serve(config: Arc<ServerConfig>) -> (SocketAddr, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let answered = Arc::new(AtomicUsize::new(0));
    let count = answered.clone();
    let acceptor = TlsAcceptor::from(config);
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            let Ok(mut socket) = acceptor.accept(socket).await else { continue };
            if socket.read(&mut [0; 4096]).await.is_ok_and(|n| n > 0) {
                count.fetch_add(1, Ordering::SeqCst);
                let head = "HTTP/1.1 200 OK\r\ncontent-type: application/activity+json\r\ncontent-length: 2\r\n";
                let _ = socket.write_all(format!("{head}connection: close\r\n\r\n{{}}").as_bytes()).await;
                let _ = socket.shutdown().await;
            }
        }
    });
    (address, answered)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_certificate_counts_when_its_authority_is_known_or_named() {
    if let Ok(address) = std::env::var(ADDRESS) {
        let expected = if std::env::var(BELIEVED).is_ok() { Ok(()) } else { Err(FetchError::Unreachable) };
        assert_eq!(ask(&address).await, expected);
        return;
    }
    let (ours, others) = (Authority::new(), Authority::new());
    let folder = tempfile::tempdir().unwrap();
    let (our_file, other_file) = (folder.path().join("ours.pem"), folder.path().join("others.pem"));
    std::fs::write(&our_file, &ours.certificate).unwrap();
    std::fs::write(&other_file, &others.certificate).unwrap();
    let both = folder.path().join("both.pem");
    std::fs::write(&both, format!("{}{}", others.certificate, ours.certificate)).unwrap();

    let (address, answered) = serve(ours.server("maple.localhost", 2090)).await;
    let (expired, answered_expired) = serve(ours.server("maple.localhost", 2020)).await;
    let url = |name: &str, address: SocketAddr| format!("https://{name}.localhost:{}/", address.port());
    let good = url("maple", address);

    // This process knows the platform's authorities, and ours is none of them.
    assert_eq!(ask(&good).await, Err(FetchError::Unreachable));
    again(&good, &other_file, false).await;
    assert_eq!(answered.load(Ordering::SeqCst), 0, "nothing is said to a server that is not believed");
    again(&good, &our_file, true).await;
    again(&good, &both, true).await;
    assert_eq!(answered.load(Ordering::SeqCst), 2);
    // A known authority does not make every certificate good.
    again(&url("willow", address), &our_file, false).await;
    again(&url("maple", expired), &our_file, false).await;
    assert_eq!((answered.load(Ordering::SeqCst), answered_expired.load(Ordering::SeqCst)), (2, 0));
}

/// Runs this test again with an authority named, to ask and to judge the outcome.
async fn again(address: &str, authority: &Path, believed: bool) {
    let mut process = Command::new(std::env::current_exe().unwrap());
    process.args(["--exact", "tls::a_certificate_counts_when_its_authority_is_known_or_named"]);
    process.env("SSL_CERT_FILE", authority).env_remove("SSL_CERT_DIR").env(ADDRESS, address).env_remove(BELIEVED);
    if believed {
        process.env(BELIEVED, "yes");
    }
    let output = process.output().await.unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.contains("1 passed"), "{address} with {}: {said}", authority.display());
}
