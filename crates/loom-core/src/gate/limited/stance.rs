//! Whether a claim is stated, here and now, to whoever asked, or only spoken about.

use std::sync::LazyLock;

use regex::Regex;

use super::claim::Claim;
use super::words::words;
use crate::pattern::words_pattern;

/// What a sentence with a claim is, by the words around the claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stance {
    /// It states the claim.
    States,
    /// It speaks about the claim.
    Talks,
}

/// What, before a claim, makes it something that may be, that is not, or that is a topic.
static BEFORE: LazyLock<Regex> = LazyLock::new(|| {
    words_pattern(
        r"(?x)\b(?:
          if|when|whenever|unless|once|should|can|may|might|must|will|whether|what|why|how|avoid(?:s|ing)?|prevents?|preventing|in\ case|until
        | (?:would|could)\ (?:be|get|hit|lead|cause|trigger|return|reach|overload|have)
        | handle[sd]?|handling|detects?|simulate[sd]?|mocks?|mocked|tests?|tested|testing|returns|raises?|throws?|means|indicates|represents|describes?|documents?|documented|documentation|covers|supports|emits|produces|prints|logged
        | add(?:s|ed|ing)?|fix(?:es|ed|ing)?|implement(?:s|ed|ing)?|updated|refactor(?:s|ed)?|rename[sd]?|renaming|wrote|write|writes|changed|improve[sd]?|removed?|introduce[sd]?|explain(?:s|ed)?|review(?:ed|s)?|mention(?:s|ed)?|named|titled|examples?\ (?:of|output|response|error|:)|for\ example|e\ g|such\ as|treats?|treated|maps?|mapped|catch(?:es)?|checks?|checked|asserts?|verif(?:y|ies|ied)|ensures?|configures?|respects?|including|definition|define[sd]?|discuss(?:es|ed)?|assum(?:e|es|ing)|expected|unrelated|versus|vs|instead\ of|rather\ than|regardless|talk|article|chapter|section|word|words|phrase|verse|poem|title|subject|heading|column|constant|enum|variant|class|function|method|struct|test|fixture|script|loop|queries\ where|cause[sd]?\ by\ a\ loop|lines?|rows|entries|commits?|merge|pull\ request|ticket|issue|bug|docs|readme|changelog|note|tip|hint|summary|question|answer|faq|plan|steps?|goal|option|setting|flag|parameter|limiter\ :|banner|percent\ of|codes?\ for|is\ the|stands\ for|following|retried|answer(?:s|ed)
        | (?:remain(?:s|ing)?|left)\ before
        )\b",
    )
});

/// The same, right before the claim.
static DENIED: LazyLock<Regex> = LazyLock::new(|| {
    words_pattern(
        r"(?x)(?:^|\ )(?:not|never|no|without|zero|0|any|few|didnt|dont|doesnt|wasnt|isnt|hasnt|havent|werent|wont|cant|nearly|almost|about\ to|close\ to|approaching)\ (?:[\w.]+\ ){0,2}$",
    )
});

/// What, after a claim, makes it a topic: a thing of that name.
static TOPIC: LazyLock<Regex> = LazyLock::new(|| {
    words_pattern(
        r"(?x)^\ (?:errors?|exceptions?|responses?|messages?|events?|status|codes?|pages?|screens?|banner|alerts?|handling|handler|tests?|pools?|functions?|methods?|operators?|constructors?|writes|requests|calls|endpoints?|clients?|users?|logic|support|behaviou?r|cases?|scenarios?|conditions?|checks?|dialogs?|modal|toast|notice|label|strings?|flag|metrics?|counters?|explained|on\ login|for\ a\ refund|expectations|destination)\b",
    )
});

/// What, after a claim, says something of it.
static SAID_OF: LazyLock<Regex> = LazyLock::new(|| {
    words_pattern(
        r"(?x)^\ (?:too\ many\ requests\ |errors?\ |exceptions?\ |responses?\ |headers?\ |status\ |codes?\ |(?:or|and)\ (?:\w+\ ){1,5}){0,3}(?:
          is\ (?:the|a|an|what|when|returned|raised|logged|handled|tested|thrown|sent|now|retried|answered)|are|was\ (?:added|fixed|the|never)|were|means?|indicates?|would|should|will|may|might|can|must|does|do|tells|maps?|represents|refers|happens?|occurs?|applies|explained|belongs|stands|becomes?|count(?:s)?|appears?|is\ (?:shown|displayed|printed|rendered|reported|considered|treated|mapped|documented|covered|expected)|returns?|raises?|causes?|triggers?|leads?|results?\ in|gives|yields|produces|responds?|receives|gets)\b

        | ^\ per\ (?:key|ip|tenant|client)\b | ^\ :\ (?:false|no|off|null|none|0|disabled)$ | :\ (?:if|when|raised|thrown|returned|should)\b
        | when\ (?:the|you|more|a|an|it|they|users|clients|this|that|your|there)\b | (?:during|in)\ (?:the\ )?(?:code|tests?|docs)\b
        | by\ \d[\d.]*\ (?:words|km|eur|usd|percent|dollars)\b | (?:in|by|since)\ (?:january|february|march|april|may|june|july|august|september|october|november|december|(?:19|20)\d\d)\b
        | (?:last\ (?:week|month|year|night)|yesterday|twice|once|three\ times|several\ times|early\ this|earlier)\b",
    )
});

/// What makes of a number before it an amount.
static AMOUNT: LazyLock<Regex> = LazyLock::new(|| {
    words_pattern(
        r"^\ (?:rows?|items?|results?|files?|records?|bytes|lines?|entries|users?|ms|seconds?|minutes|tests?|packages?|matches|hits|points?|objects?|pages?|documents?|tokens?|images?|words?|posts|issues|commits|people|times|days|percent|euros?|dollars|usd|eur|kb|mb|gb)\b|^ messages?(?: [\w.,]|$)|^ : [\d.]+(?: ,|$)",
    )
});

/// A claim that denies itself.
static INSIDE: LazyLock<Regex> = LazyLock::new(|| {
    words_pattern(r"\ (?:not|never|nor|hardly|wasnt|isnt|hasnt|arent|werent|didnt)\ ")
});

/// Others of whom a log tells that they met a limit, by name or number.
static OTHERS: LazyLock<Regex> = LazyLock::new(|| {
    words_pattern(
        r"(?x)\b(?:client|visitor|tenant|customer|caller|peer|bot|guest|subscriber|user|ip)\ (?:id\ )?[\w.]*\d[\w.]*\ (?:was\ |is\ |has\ )?$|\d\ were\ $",
    )
});

/// What makes of a whole sentence the report of somebody's work, or a lesson.
static NARRATED: LazyLock<Regex> = LazyLock::new(|| {
    words_pattern(
        r"(?x)^(?:,\ )?(?:[\da-f]{7,12}\ )?(?:
          (?:each|every|further|additional|subsequent|excess|such)\ (?:\w+\ ){0,3}?(?:requests?|calls?|clients?|keys?|users?|accounts?|attempts?|projects?|organizations?)\ (?:\w+\ ){0,3}?(?:is|are|will|gets?|receives?|may|must|can|counts?|returns?|fails?)[\ ]
        | (?:\w+\ ){0,2}?(?:callers|clients|users|customers|requests|accounts|keys|applications|apps|consumers)\ (?:that|which|who|over|above|beyond)[\ ]
        | (?:exceeding|reaching|hitting|violating|sending|making|issuing|going\ over)\ (?:\w+\ ){1,8}?(?:results|leads|causes|returns|gives|yields|triggers|produces|will|may|can)[\ ]
        | (?:\w+\ ){1,3}means\ |(?:i|ive|im|ill|id|he|she|they|someone|users|people|callers|consumers|clients|customers|developers|engineers)\ |let\ me|heres\ |here\ (?:is|are)|the\ following\b|below|above|yes\b|sure\b|okay\b|in\ short|in\ summary|(?:overall|finally|next|then|first|second|also|additionally|however|therefore|instead)\ (?:,|i|we|the)\ |for\ example|found\ \d+|note|remember|once|after|before|while|although|since\ the|as\ soon|to\ (?:fix|handle|avoid|prevent|see|test|reproduce)\ |dear|hello|hi\b
        | we\ (?:added|fixed|implemented|should|need|use|used|saw|see|did|now|also|moved|never|must|will|then|retry|can\ )
        | (?:added|deployed|merged|enabled|configured|fixed|implemented|updated|refactored|reviewed|wrote|created|removed|renamed|documented|tested|done|finished|completed|closes|fix|feat|chore|docs|test|refactor|perf)\b
        | (?:the|a|an|this|that|these|those|each|every|all|any|some|most|many|our|your)\ (?:[\w.]+\ ){0,3}?(?:function|method|client|handler|middleware|tests?|class|code|script|loop|library|documentation|docs|article|chapter|book|talk|patch|commit|change|fix|bug|ticket|issue|retry|wrapper|decorator|helper|module|team|customer|customers|users|bot|crawler|job|pipeline|report|table|section|chart|graph|log|logs|summary|word|phrase|limiter|implementation|configuration|config|constant|enum|variant|page|banner|definition|essay|film|song|poem|story)\b
        )",
    )
});

/// What makes of a sentence an account of what is over.
static OVER: LazyLock<Regex> = LazyLock::new(|| {
    words_pattern(
        r"(?x)\b(?:succe(?:ss|eded|ssful(?:ly)?)|then\ completed|(?:run|task|job)\ completed|passed|resumed|recovered|(?:,|and|then)\ switched\ to|(?:falling|fell)\ back\ to|retried\ after|no\ longer|(?:but|and|then)\ (?:it\ )?(?:finished|completed|worked|continued)|finished|done|gone|is\ fixed|went\ through)\b",
    )
});

/// What the sentence does with the claim. `marked` says that it stands on a line that calls itself
/// an error: errors quote, narrate and deny, so less speaks against them.
pub(super) fn stance(sentence: &str, claim: &Claim, marked: bool) -> Stance {
    let before = sentence.get(..claim.at.start).unwrap_or_default();
    let itself = sentence.get(claim.at.clone()).unwrap_or_default();
    let after = sentence.get(claim.at.end..).unwrap_or_default();
    let denied = DENIED.is_match(before) || INSIDE.is_match(itself);
    let counted = itself.ends_with('9') && AMOUNT.is_match(after);
    let discussed = counted || SAID_OF.is_match(after) || OTHERS.is_match(before);
    let talks = match marked {
        true => discussed || denied && !claim_is_named(before),
        false => {
            denied
                || discussed
                || TOPIC.is_match(after)
                || BEFORE.is_match(before)
                || is_narrated(sentence)
        }
    };
    if talks { Stance::Talks } else { Stance::States }
}

/// Whether what stands before ends in a colon: what follows is the message itself.
fn claim_is_named(before: &str) -> bool {
    before.ends_with(": ")
}

/// Labels of what is not the message itself.
static LABELLED: LazyLock<Regex> = LazyLock::new(|| {
    words_pattern(
        r"^(?:title|subject|question|answer|q|a|re|example|see also|usage|options|verse|plan|docs|note|tip|hint|summary|faq|issue \d+|pr \d+|ticket|todo|expected|topic|translate|chapter|section|lesson)\ :",
    )
});

/// Somebody who speaks of himself: no provider does.
static SPEAKER: LazyLock<Regex> =
    LazyLock::new(|| words_pattern(r"\b(?:ive|i\ (?:[a-np-z]\w*|o\w+))\b"));

/// Whether somebody tells of work, or teaches.
pub(super) fn is_narrated(sentence: &str) -> bool {
    NARRATED.is_match(sentence) || is_labelled(sentence) || SPEAKER.is_match(sentence)
}

/// Sentences after which an example follows.
static SHOWS: LazyLock<Regex> = LazyLock::new(|| {
    words_pattern(
        r"(?x)\blike\ (?:this|the\ following|so|these)\b|\b(?:as\ follows|the\ following|below|examples?|sample|typical(?:ly)?)\b
        |\b(?:you|clients?|callers?|users?|they|it)\ (?:will\ )?(?:gets?|receives?|sees?)\b
        |\b(?:api|server|service|response|reply|body|endpoint|gateway|it)\ (?:then\ )?(?:answers|responds|replies|reads|is|looks|says|contains)\b|\bover\ (?:the|this|your)\ (?:limit|quota)",
    )
});

/// How a line ends that goes on in an example.
static GOES_ON: LazyLock<Regex> = LazyLock::new(|| {
    words_pattern(
        r"\b(?:prints?|shows?|says?|displays?|returns?|see|gets?|receives?|reads|answers|responds(?: with)?|replies|fails with|reports?|writes|logs)$",
    )
});

/// Whether a line announces what follows as something to read about.
pub(super) fn announces(line: &str) -> bool {
    let row = words(line);
    if line.starts_with("# ") || line.starts_with("##") {
        return SHOWS.is_match(&row) || BEFORE.is_match(&row);
    }
    let last = row.trim_end_matches([' ', '.', ':']);
    let last = last.rsplit(" . ").next().unwrap_or_default();
    let shows = line.ends_with([':', '.']) && SHOWS.is_match(last);
    let goes_on = !line.ends_with('.') && GOES_ON.is_match(last);
    shows || goes_on || line.ends_with(':') && (BEFORE.is_match(&row) || is_narrated(&row))
}

/// Sentences of a reference about the kinds of errors.
static REFERENCE: LazyLock<Regex> = LazyLock::new(|| {
    words_pattern(
        r"\b(?:this|the) (?:code|error|status|exception|response) (?:code )?(?:is|gets) (?:only )?(?:returned|raised|thrown|sent|emitted) (?:by|when|if|for)\b",
    )
});

/// Whether a row of words explains a kind of error.
pub(super) fn is_reference(row: &str) -> bool {
    REFERENCE.is_match(row)
}

/// Whether a sentence has a label that makes it a topic.
pub(super) fn is_labelled(sentence: &str) -> bool {
    LABELLED.is_match(sentence)
}

/// Words of the machine itself: its limits are no provider's.
static MACHINE: LazyLock<Regex> = LazyLock::new(|| {
    words_pattern(
        r"(?x)\b(?:inotify|emfile|enfile|enospc|edquot|ulimit|rlimit|file\ descriptors?|file\ system|filesystem|inodes?|mailbox|heap|stack\ overflow|out\ of\ memory|oom|grace\ (?:period|time)|load\ average|runnable\ \w+|on\ \d+\ cores|cpus?\ \d+|temperature|thermal|swap|epoch\ \d+|\d\ it\ s|cgroup|systemd|dmesg|kernel)\b",
    )
});

/// Whether a sentence is about the machine.
pub(super) fn is_of_machine(sentence: &str) -> bool {
    MACHINE.is_match(sentence)
}

/// Whether a sentence says that what it tells of is over.
pub(super) fn is_over(sentence: &str) -> bool {
    let sentence = sentence
        .replace("indicate success", "")
        .replace("non successful", "failed")
        .replace("state finished", "")
        .replace("this is done", "this is so");
    let sentence =
        sentence.replace("completed with exit", "ended with").replace("state : finished", "");
    OVER.is_match(&sentence)
}
