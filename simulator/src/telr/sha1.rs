//! SHA-1, for Telr's checks only: the gateway chose it, nothing else here should.

const START: [u32; 5] = [0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476, 0xc3d2_e1f0];

/// The digest in lower-case hexadecimal (FIPS 180-4).
pub fn sha1_hex(bytes: &[u8]) -> String {
    let mut padded = bytes.to_vec();
    padded.push(0x80);
    while padded.len() % 64 != 56 {
        padded.push(0);
    }
    let bits = u64::try_from(bytes.len()).unwrap_or_default().wrapping_mul(8);
    padded.extend_from_slice(&bits.to_be_bytes());
    let digest = padded.chunks_exact(64).fold(START, compress);
    digest.iter().map(|word| format!("{word:08x}")).collect()
}

fn compress(state: [u32; 5], block: &[u8]) -> [u32; 5] {
    let mut words: Vec<u32> = block
        .chunks_exact(4)
        .map(|four| four.iter().fold(0, |word, byte| (word << 8) | u32::from(*byte)))
        .collect();
    let [mut a, mut b, mut c, mut d, mut e] = state;
    for round in 0..80_usize {
        let back = |by: usize| words.get(round.wrapping_sub(by)).copied().unwrap_or_default();
        let word = match words.get(round) {
            Some(word) => *word,
            None => (back(3) ^ back(8) ^ back(14) ^ back(16)).rotate_left(1),
        };
        words.resize(words.len().max(round + 1), word);
        let (mixed, constant) = match round {
            0..20 => ((b & c) | (!b & d), 0x5a82_7999),
            20..40 => (b ^ c ^ d, 0x6ed9_eba1),
            40..60 => ((b & c) | (b & d) | (c & d), 0x8f1b_bcdc),
            _ => (b ^ c ^ d, 0xca62_c1d6_u32),
        };
        let sum = a.rotate_left(5).wrapping_add(mixed).wrapping_add(e);
        let next = sum.wrapping_add(constant).wrapping_add(word);
        (e, d, c, b, a) = (d, c, b.rotate_left(30), a, next);
    }
    let [v, w, x, y, z] = state;
    [v.wrapping_add(a), w.wrapping_add(b), x.wrapping_add(c), y.wrapping_add(d), z.wrapping_add(e)]
}

#[cfg(test)]
mod tests {
    use super::sha1_hex;

    #[test]
    fn the_digests_of_the_standard_come_out() {
        let long = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
        let million = "a".repeat(1_000_000);
        for (text, digest) in [
            ("", "da39a3ee5e6b4b0d3255bfef95601890afd80709"),
            ("abc", "a9993e364706816aba3e25717850c26c9cd0d89d"),
            (long, "84983e441c3bd26ebaae4aa1f95129e5e54670f1"),
            (million.as_str(), "34aa973cd4c4daa4f61eeb2bdbad27316534016f"),
        ] {
            assert_eq!(sha1_hex(text.as_bytes()), digest);
        }
    }
}
