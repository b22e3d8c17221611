//! Bytes as a list of texts.

/// Hands out the parts of an input: what stands between its zero bytes.
pub struct Words<'a> {
    parts: std::slice::Split<'a, u8, fn(&u8) -> bool>,
}

impl<'a> Words<'a> {
    /// The parts of `data`.
    #[must_use]
    pub fn of(data: &'a [u8]) -> Self {
        let is_zero: fn(&u8) -> bool = |byte| *byte == 0;
        Self {
            parts: data.split(is_zero),
        }
    }

    /// The next part; nothing, once there are no more.
    pub fn bytes(&mut self) -> &'a [u8] {
        self.parts.next().unwrap_or_default()
    }

    /// The next part as it may stand in a URL: what may not is written in percent.
    pub fn quoted(&mut self) -> String {
        let mut text = String::new();
        for byte in self.bytes() {
            if byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@/".contains(byte) {
                text.push(char::from(*byte));
            } else {
                text.push_str(&format!("%{byte:02X}"));
            }
        }
        text
    }

    /// The next part as one piece of a path, or as the value of a parameter.
    pub fn piece(&mut self) -> String {
        self.quoted()
            .replace('/', "%2F")
            .replace('&', "%26")
            .replace('+', "%2B")
    }
}
