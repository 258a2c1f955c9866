//! Multikeys (W3C Controlled Identifiers, section 2.2.2; FEP-521a): a public key and its kind in one word.
//!
//! Reads `z` (base58btc) with an Ed25519 or RSA key in it, into the form in which all keys are kept here. Whether the
//! key is any good is for [`super::PublicKey`].

use super::key::ED25519_SPKI;

/// Characters of a word that is read: enough for RSA of 4096 bits, few enough to be read in no time.
const MAX_CHARS: usize = 800;
/// `ed25519-pub` (0xed) and `rsa-pub` (0x1205) of the multicodec table, as its variable-length numbers.
const ED25519: [u8; 2] = [0xed, 0x01];
const RSA: [u8; 2] = [0x85, 0x24];

/// The key in PEM. `None` when it is of another kind, or not a multikey at all.
#[must_use]
pub fn to_pem(word: &str) -> Option<String> {
    let bytes = base58(word.strip_prefix('z')?)?;
    let (tag, der) = match bytes.split_first_chunk::<2>()? {
        (&ED25519, raw) if raw.len() == 32 => ("PUBLIC KEY", [&ED25519_SPKI, raw].concat()),
        (&RSA, pkcs1) => ("RSA PUBLIC KEY", pkcs1.to_vec()),
        _ => return None,
    };
    let config = pem::EncodeConfig::new().set_line_ending(pem::LineEnding::LF);
    Some(pem::encode_config(&pem::Pem::new(tag, der), config))
}

/// base58 with Bitcoin's alphabet: a number whose leading zero bytes are written as `1`.
fn base58(text: &str) -> Option<Vec<u8>> {
    const DIGITS: &[u8; 58] = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
    if text.is_empty() || text.len() > MAX_CHARS {
        return None;
    }
    // The lowest byte first.
    let mut bytes: Vec<u8> = Vec::with_capacity(text.len());
    for character in text.bytes() {
        let mut carry = u32::try_from(DIGITS.iter().position(|digit| *digit == character)?).ok()?;
        for byte in &mut bytes {
            carry += u32::from(*byte) * 58;
            let [low, ..] = carry.to_le_bytes();
            *byte = low;
            carry >>= 8;
        }
        while carry > 0 {
            let [low, ..] = carry.to_le_bytes();
            bytes.push(low);
            carry >>= 8;
        }
    }
    bytes.extend(text.bytes().take_while(|character| *character == b'1').map(|_| 0));
    bytes.reverse();
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::super::PublicKey;
    use super::*;

    /// The example of the `did:key` method, and the same key in hexadecimal.
    const WORD: &str = "z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK";
    const RAW: &str = "2e6fcce36701dc791488e0d0b1745cc1e33a4c1c9fcc41c63bd343dbbe0970e6";

    /// An RSA key of 2048 bits, made for this test.
    const RSA_WORD: &str = "z4MXj1wBzi9jUstyPRASiuCtyxgZJNDaMhdKjpzri74PPrh7XCamWyVKoXfU4fPFALC9jiR2YvLRXWQ4pPmG3t2xtj5kQJqNmjmk\
        AaFqgMdVEnfaBN21v1B7bUVHxn6sJKTuL2oBfnDwyzJ5yrVCuyJ1NRTe6Vqs6bYdAUEHn8AJtvTYyh5QQ3s8dpTwFScoNLXXgDba\
        9tNnax3o3QrYndSNbaw4PTUfmmXcCMKM6NWdskW7hHq8tW1tkZgKDBSEjYumTV35PNwBPxQG2Ep92Wcgtt5JSApGtjC3YZZ5hShh\
        KUxikeUxdWggr9aFBJAbWBirLssAU27Kd4bxeXscB5YEHoLcMQ4MncYLfE9GkK7Mt2bAkAZkC";

    #[test]
    fn an_rsa_key_is_read_out_of_its_word() {
        let pem = to_pem(RSA_WORD).unwrap();
        assert!(pem.starts_with("-----BEGIN RSA PUBLIC KEY-----"), "{pem}");
        assert!(PublicKey::from_pem(&pem).is_ok());
    }

    #[test]
    fn an_ed25519_key_is_read_out_of_its_word() {
        let parsed = pem::parse(to_pem(WORD).unwrap()).unwrap();
        let raw = parsed.contents().strip_prefix(&ED25519_SPKI).unwrap();
        assert_eq!(raw.iter().map(|byte| format!("{byte:02x}")).collect::<String>(), RAW);
        assert!(PublicKey::from_pem(&to_pem(WORD).unwrap()).is_ok());
    }

    #[test]
    fn leading_zeros_are_ones() {
        assert_eq!(base58("11"), Some(vec![0, 0]));
        assert_eq!(base58("12"), Some(vec![0, 1]));
        assert_eq!(base58("5R"), Some(vec![1, 0]));
    }

    #[test]
    fn a_word_has_so_many_characters_and_no_more() {
        assert!(base58(&"2".repeat(MAX_CHARS)).is_some());
        assert_eq!(base58(&"2".repeat(MAX_CHARS + 1)), None);
        assert_eq!(base58(""), None);
    }

    #[test]
    fn other_kinds_and_broken_words_are_passed_over() {
        for word in [
            "",
            "z",
            "6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK",
            "u7QEub8zjZwHceRSI4NCxdFzB4zpMHJ_MQcY700PbvglwXg",
            // A digit that the alphabet does not have, a key cut short, secp256k1.
            "z0MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK",
            "z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2do",
            "zQ3shokFTS3brHcDQrn82RUDfCZESWL1ZdCEJwekUDPQiYBme",
            // Ed25519 of 31 and of 33 bytes.
            "z2DQV5Tm64jwFsRi2chqem1Wt2aP6bP34vi2itLNof8JFdG",
            "zQebgPz46dXF6xQtdeWC3Hp176BFCSRwmM6fivExUWaYckRGz",
            &format!("z{}", "2".repeat(MAX_CHARS + 1)),
        ] {
            assert_eq!(to_pem(word), None, "{word}");
        }
    }
}
