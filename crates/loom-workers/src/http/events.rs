//! Taking apart a body that is a stream of events or of lines.

use memchr::{memchr, memchr2};

/// Type of a stream of server-sent events.
const EVENT_STREAM: &str = "text/event-stream";
/// Types of JSON, one value a line.
const JSON_LINES: [&str; 5] = [
    "application/x-ndjson",
    "application/ndjson",
    "application/jsonl",
    "application/jsonlines",
    "application/x-jsonlines",
];
/// May stand before the first event.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// What a server says at one time: a server-sent event, or a line of a stream of JSON.
///
/// `Debug` shows how long its data is, not what.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct HttpEvent {
    /// What the server calls it; `message` if it does not, and for lines.
    pub name: String,
    /// What it says. Several lines of data are joined by `\n`.
    pub data: String,
    /// The id that the server gave last, to this event or to one before; empty if it gave none.
    pub id: String,
}

impl std::fmt::Debug for HttpEvent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HttpEvent")
            .field("name", &self.name)
            .field("data_bytes", &self.data.len())
            .finish_non_exhaustive()
    }
}

/// How the parts of a body are told from each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// As lines that make events.
    Events,
    /// As lines.
    Lines,
}

impl Form {
    /// The form of a body of this type, if it has parts.
    pub(super) fn of(content_type: &str) -> Option<Self> {
        let name = content_type.split(';').next().unwrap_or_default().trim();
        if name.eq_ignore_ascii_case(EVENT_STREAM) {
            return Some(Self::Events);
        }
        JSON_LINES.iter().any(|known| name.eq_ignore_ascii_case(known)).then_some(Self::Lines)
    }
}

/// A part is longer than it may be.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct TooLong;

/// Takes a body apart as it comes, wherever its pieces are cut.
#[derive(Debug)]
pub(super) struct Parts {
    form: Form,
    max: usize,
    line: Vec<u8>,
    /// The last line ended with `\r`: a `\n` right after it ends no further line.
    after_return: bool,
    is_first_line: bool,
    name: String,
    id: String,
    data: Option<String>,
}

impl Parts {
    /// No part, and no line of one, may be longer than `max` bytes.
    pub(super) fn new(form: Form, max: usize) -> Self {
        Self {
            form,
            max,
            line: Vec::new(),
            after_return: false,
            is_first_line: true,
            name: String::new(),
            id: String::new(),
            data: None,
        }
    }

    /// Takes in more bytes and hands over the events that end with them, while it is told to go on.
    pub(super) fn push(
        &mut self,
        bytes: &[u8],
        mut each: impl FnMut(&HttpEvent) -> bool,
    ) -> Result<(), TooLong> {
        let mut rest = bytes;
        while let Some((line, [end, after @ ..])) = self.end(rest).map(|at| rest.split_at(at)) {
            let is_second_half = self.after_return && line.is_empty() && *end == b'\n';
            self.after_return = *end == b'\r';
            rest = after;
            if is_second_half {
                continue;
            }
            self.add(line)?;
            if let Some(event) = self.line_ended()?
                && !each(&event)
            {
                return Ok(());
            }
        }
        if !rest.is_empty() {
            self.after_return = false;
        }
        self.add(rest)
    }

    /// What is left at the end of the body: a last line without an end is one all the same, an
    /// event that nothing ended is none. Tells whether something was lost.
    pub(super) fn finish(&mut self) -> (Option<HttpEvent>, bool) {
        match self.form {
            Form::Lines => (self.line_ended().ok().flatten(), false),
            Form::Events => (None, self.data.is_some() || self.line.starts_with(b"data")),
        }
    }

    fn end(&self, bytes: &[u8]) -> Option<usize> {
        match self.form {
            Form::Events => memchr2(b'\n', b'\r', bytes),
            Form::Lines => memchr(b'\n', bytes),
        }
    }

    fn add(&mut self, part: &[u8]) -> Result<(), TooLong> {
        if self.line.len() + part.len() > self.max {
            return Err(TooLong);
        }
        self.line.extend_from_slice(part);
        Ok(())
    }

    fn line_ended(&mut self) -> Result<Option<HttpEvent>, TooLong> {
        let mut line = std::mem::take(&mut self.line);
        if std::mem::take(&mut self.is_first_line) && line.starts_with(BYTE_ORDER_MARK) {
            line.drain(..BYTE_ORDER_MARK.len());
        }
        let line = String::from_utf8_lossy(&line);
        match self.form {
            Form::Events if line.is_empty() => Ok(self.event_ended()),
            Form::Events => self.field(&line).map(|()| None),
            Form::Lines if line.trim().is_empty() => Ok(None),
            Form::Lines => Ok(Some(self.event(line.trim_end_matches('\r').to_owned()))),
        }
    }

    /// Takes in a line of an event.
    fn field(&mut self, line: &str) -> Result<(), TooLong> {
        let (name, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match name {
            "data" => return self.data_line(value),
            "event" => value.clone_into(&mut self.name),
            "id" if !value.contains('\0') => value.clone_into(&mut self.id),
            // Comments, which have no name, and what has no meaning here.
            _ => {}
        }
        Ok(())
    }

    fn data_line(&mut self, value: &str) -> Result<(), TooLong> {
        match &mut self.data {
            None => self.data = Some(value.to_owned()),
            Some(data) if data.len() + value.len() >= self.max => return Err(TooLong),
            Some(data) => {
                data.push('\n');
                data.push_str(value);
            }
        }
        Ok(())
    }

    fn event_ended(&mut self) -> Option<HttpEvent> {
        let data = self.data.take();
        let event = data.map(|data| self.event(data));
        self.name.clear();
        event
    }

    fn event(&self, data: String) -> HttpEvent {
        let name = if self.name.is_empty() { "message" } else { &self.name };
        HttpEvent { name: name.to_owned(), data, id: self.id.clone() }
    }
}
