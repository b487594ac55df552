//! Fenced blocks of Markdown files.

/// A fenced block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    /// The number of the line with its opening fence; the first line of a file is 1.
    pub line: usize,
    /// The first word after the opening fence: `rust` of `rust,no_run`.
    pub language: String,
    /// What is in it, without the indentation of its fence.
    pub lines: Vec<String>,
}

/// A fence: how far it is indented, its marks, and what follows them.
struct Fence<'a> {
    indent: usize,
    marks: &'a str,
    info: &'a str,
}

/// The blocks of `text`, in their order. A block that is never closed ends with the text.
#[must_use]
pub fn blocks(text: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut lines = text.lines().enumerate();
    while let Some((at, line)) = lines.next() {
        let Some(open) = fence(line) else { continue };
        let inside = lines.by_ref().map(|(_, line)| line).take_while(|line| !closes(line, &open));
        let inside = inside.map(|line| unindented(line, open.indent).to_owned());
        let language = open.info.split([',', ' ', '{']).next().unwrap_or_default();
        blocks.push(Block { line: at + 1, language: language.to_owned(), lines: inside.collect() });
    }
    blocks
}

fn fence(line: &str) -> Option<Fence<'_>> {
    let bare = line.trim_start();
    let indent = line.len() - bare.len();
    let mark = bare.chars().next().filter(|mark| ['`', '~'].contains(mark))?;
    let info = bare.trim_start_matches(mark);
    let marks = bare.strip_suffix(info).filter(|marks| marks.len() >= 3)?;
    let info = info.trim();
    // A line such as ```code``` is text, not a fence.
    (!info.contains('`')).then_some(Fence { indent, marks, info })
}

fn closes(line: &str, open: &Fence<'_>) -> bool {
    fence(line).is_some_and(|close| close.info.is_empty() && close.marks.starts_with(open.marks))
}

fn unindented(line: &str, indent: usize) -> &str {
    let blank = line.len() - line.trim_start().len();
    line.get(blank.min(indent)..).unwrap_or(line)
}
