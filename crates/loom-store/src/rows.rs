//! What a commit sends: rows of small values as JSON, and their texts as slices of one blob.

/// Collects the texts that a commit stores.
///
/// They travel as one blob beside rows of numbers: as JSON they would have to be escaped, and
/// SQLite ends a JSON text at its first NUL.
#[derive(Debug, Default)]
pub(crate) struct Texts(Vec<u8>);

/// Where a text stands in the blob.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Slice {
    /// Counts from 1, as SQL does.
    start: usize,
    length: usize,
}

impl Texts {
    pub(crate) fn add(&mut self, text: &str) -> Option<Slice> {
        let slice = Slice { start: self.0.len() + 1, length: text.len() };
        self.0.extend_from_slice(text.as_bytes());
        Some(slice)
    }

    pub(crate) fn into_blob(self) -> Vec<u8> {
        self.0
    }
}

impl Slice {
    /// The first `length` bytes of the slice.
    pub(crate) const fn first(self, length: usize) -> Self {
        Self { length, ..self }
    }
}

/// One value of a row.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Cell<'a> {
    /// A word without control characters.
    Word(&'a str),
    MaybeWord(Option<&'a str>),
    Number(i64),
    MaybeNumber(Option<i64>),
    /// Takes the place of two values; NULL if there is none.
    Text(Option<Slice>),
}

/// An array of rows, as JSON.
#[derive(Clone, Debug, Default)]
pub(crate) struct Rows {
    json: Vec<u8>,
    count: usize,
}

impl Rows {
    pub(crate) fn push(&mut self, cells: &[Cell<'_>]) {
        self.json.extend_from_slice(if self.count == 0 { b"[[" } else { b",[" });
        self.count += 1;
        for (index, cell) in cells.iter().enumerate() {
            if index > 0 {
                self.json.push(b',');
            }
            self.cell(*cell);
        }
        self.json.push(b']');
    }

    fn cell(&mut self, cell: Cell<'_>) {
        match cell {
            Cell::Word(word) | Cell::MaybeWord(Some(word)) => self.value(word),
            Cell::Number(number) | Cell::MaybeNumber(Some(number)) => self.value(number),
            Cell::MaybeWord(None) | Cell::MaybeNumber(None) => self.value(()),
            Cell::Text(Some(slice)) => {
                self.value(slice.start);
                self.json.push(b',');
                self.value(slice.length);
            }
            Cell::Text(None) => self.json.extend_from_slice(b"null,null"),
        }
    }

    fn value(&mut self, value: impl serde::Serialize) {
        // Writing words and numbers to memory cannot fail.
        let _ = serde_json::to_writer(&mut self.json, &value);
    }

    pub(crate) const fn len(&self) -> usize {
        self.count
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The array.
    pub(crate) fn into_json(mut self) -> String {
        self.json.extend_from_slice(if self.count == 0 { b"[]" } else { b"]" });
        // Nothing but JSON was written, which is UTF-8.
        String::from_utf8(self.json).unwrap_or_default()
    }
}
