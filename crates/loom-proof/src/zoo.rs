//! A zoo of programs that behave badly, and a judge who looks at what loom leaves of them.
//!
//! Each [`Case`](case::Case) is an [`Animal`](animals::Animal), an ending and a mode. An engine runs
//! in a process of its own ([`keep`]), which the judge holds ([`keeper`]) and may kill. The judge
//! finds who is alive by tracks that are not loom's ([`den`], [`survivors`]).

pub mod act;
pub mod animals;
pub mod case;
pub mod den;
pub mod flood;
pub mod keep;
pub mod keeper;
pub mod options;
pub mod proc;
pub mod run;
pub mod survivors;
pub mod table;
pub mod talk;
pub mod trial;
pub mod verdict;
