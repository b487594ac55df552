//! Whether JSON comes back as it was.

/// Whether every number in `json`, which is sound, is kept to its last digit: one of more digits
/// than a float or an integer of 64 bits can hold is not.
pub(super) fn keeps_its_numbers(json: &str) -> bool {
    let mut rest = json;
    while let Some(start) = rest.find(|c: char| c == '"' || c == '-' || c.is_ascii_digit()) {
        rest = &rest[start..];
        let is_text = rest.starts_with('"');
        let end = if is_text { end_of_text(rest) } else { end_of_number(rest) };
        let (token, behind) = rest.split_at(end);
        if !is_text && !is_kept(token) {
            return false;
        }
        rest = behind;
    }
    true
}

fn end_of_text(json: &str) -> usize {
    let mut escaped = false;
    for (index, byte) in json.bytes().enumerate().skip(1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return index + 1,
            _ => {}
        }
    }
    json.len()
}

fn end_of_number(json: &str) -> usize {
    let in_number = |c: char| c.is_ascii_digit() || matches!(c, '+' | '-' | '.' | 'e' | 'E');
    json.find(|c| !in_number(c)).unwrap_or(json.len())
}

fn is_kept(number: &str) -> bool {
    if number.parse::<i64>().is_ok() || number.parse::<u64>().is_ok() {
        return true;
    }
    let kept = number.parse::<f64>().map(|float| format!("{float:e}"));
    kept.is_ok_and(|kept| digits(&kept) == digits(number))
}

/// The digits that make up the value, without the zeros around them and the exponent.
fn digits(number: &str) -> String {
    let value = number.split(['e', 'E']).next().unwrap_or_default();
    let digits: String = value.chars().filter(char::is_ascii_digit).collect();
    digits.trim_matches('0').to_owned()
}

#[cfg(test)]
mod tests {
    use super::keeps_its_numbers;

    #[test]
    fn numbers_of_too_many_digits_are_noticed() {
        let kept = [
            "{}",
            r#"{"a": 0, "b": -1.50, "c": 1e21, "d": 3.14159, "e": 18446744073709551615}"#,
            r#"{"text 12345678901234567890123 \" 12345678901234567890123": [-9223372036854775808]}"#,
            r#"{"a": 0.1, "b": 1.7976931348623157e+308, "c": 100000000000000000000000}"#,
        ];
        for json in kept {
            assert!(keeps_its_numbers(json), "{json}");
        }
        let lost =
            [r#"{"a": 12345678901234567890123}"#, r#"[0.12345678901234567890123]"#, "[1, 1e999]"];
        for json in lost {
            assert!(!keeps_its_numbers(json), "{json}");
        }
    }
}
