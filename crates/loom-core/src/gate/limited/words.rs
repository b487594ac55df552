//! The words by which providers say that a limit is reached.

use std::sync::LazyLock;

use regex::Regex;

use super::LimitKind;
use crate::pattern::pattern;

/// A limit that one can run into, by the name of what is counted.
const COUNTED: &str = r"(?:(?:rate|usage|requests?|api(?:\scalls?)?|calls?|tokens?|daily|weekly|monthly|hourly|session|messages?|plan|spend|spending|free|\d+[\s-]?hours?|secondly|pull|concurrency|opus|sonnet|premium\srequest|billing\shard|trial)[\s_-])";

/// That it is reached, whatever surrounds the words: what an error or an error object contains.
static MENTION: LazyLock<Regex> = LazyLock::new(|| {
    pattern(&format!(
        r"(?x)
        too [\s_-]* many [\s_-]* (?:\w+[\s_-]){{0,2}}? (?:requests?|tokens|calls|queries|login\s attempts|concurrent)
        | \b(?:429|529)\b [\s:()\]'-]* (?:too\s many|client\s error|overloaded|rate|quota|resource|you\s exceeded)
        | \b(?:status(?:[\s_]?code)?|(?:http|api)(?:\s(?:error|status))?|error(?:\scode)?|response\scode|reason|returned\serror|code|kind:\s\w+)
            ['\x22)\s:=(\[]{{0,4}} (?:429|529|E429|1015|10429|20429)\b
        | \bE429\b | too\smany\s(?:429|529)\s | success:\s(?:429|529)\b
        | rate [\s_-]* limit (?:s|ed|er|ing)? \b (?:['\x22\s:_.-]+\w+){{0,5}}? ['\x22\s:_-]+ (?:exceeded|reached|hit|exhausted|violation|quota\sviolation)
        | rate [\s_-]* limit [\s_-]* (?:ed|exceeded|error|reached|exception|_reached_error)
        | \bhit\s(?:a|the|your|an?\s\w+)\srate[\s-]limit | had\sto\srate\slimit
        | \b{COUNTED}+(?:limit|limits|cap|quota|rate|capacity)\b (?:\s\w+){{0,3}}? \s (?:already\s)?(?:exceeded|reached|hit|exhausted|used\sup)
        | \b(?:quota|allowance|credits?|limits?)\b (?:\s['\x22\w]+){{0,2}}? \s (?:is|are|has\sbeen|have\sbeen|was)\s(?:already\s)?(?:exceeded|reached|exhausted|depleted|used\sup)
        | \bquota(?:s|\serror:)?\b (?:\s['\x22]\w+['\x22])? \s (?:limit\s+)?(?:exceeded|reached|exhausted) | (?:quota|limit|billing)_?exceeded
        | \bfree\susage\sexceeded
        | \b(?:exceed(?:ed|s|ing)?|reached|hit|over|exhausted|used\s(?:up|all)|ran\sout\sof|run\sout\sof|out\sof)\s
            (?:(?:the|your|our|its|their|a|an|all|any|on-demand|configured)\s)? (?:[\w-]+\s){{0,4}}?
            (?:(?:rate|usage|request|token|api|call|pull|message|weekly|session|daily|monthly|hourly|secondly|spending|spend|usage\scap)\s?(?:limits?|cap|quota)
              |quotas?|credits|allowance|extra\susage|token\susage|free\srequests|usage\slimits?|calls\sper\ssecond|requests\sper\s\w+|capacity\son\sthis\smodel)\b
        | throttl(?:ed|ing)(?:_?(?:exception|error))? (?:\b|_)
        | overloaded(?:_?error)? | \b(?:is|at|currently\sat)\s(?:over\s)?capacity | capacity\sexceeded | too\sbusy | high\sdemand
        | \brate\sexceeded | \bslow[\s_]?down\b | reduce\s(?:your\s)?request\srates? | requests?\stoo\s(?:quickly|fast|often) | too\squickly
        | resource[\s_]?(?:has\sbeen\s)?exhausted | resourceexhausted
        | insufficient[\s_](?:quota|credits?|balance|funds) | balance\sis\stoo\slow | \bno\squota\b | quota_exceeded
        | usage[\s_]limit(?:_reached|\sreached) | current[\s_]quota | daily\slimit | spend(?:ing)?\s(?:cap|limit)\sreached
        | request[\s_]?limit[\s_]?exceeded | throughput\w*?exceeded | provisioned\sthroughput | callerratelimit | limitexceededexception
        | abuse\sdetection | requested\stoo\smany\stimes | limiting\srequests | \ba\swait\sof\s\d+\sseconds\sis\srequired
        | limited\sto\s\d+\s(?:api\s)?(?:calls|requests) | max(?:imum)?\s(?:number\sof\s)?requests? | request\sthrottled | request\slimit\sreached
        | (?:userrate|daily|rate)limitexceeded | api\slimit\sreached | \bratelimited\b | dailylimit | rate_limited\b
        "
    ))
});

/// What such words also say, of things that no provider counts.
static OTHER: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"disk quota|mailbox quota|quota for /|open files|overhead limit|memory limit|time limit|size limit|too many (?:arguments|levels|connections|clients|cooks|redirects)|recursion|speed limit|credit limit|context length|heart rate|interest rate",
    )
});

/// Whether an error of this text is about a limit.
pub(super) fn mentions(text: &str) -> bool {
    MENTION.is_match(text) && !OTHER.is_match(text)
}

/// A sentence that says it to whoever asked, from its first word to what must not go on as prose.
static SENTENCE: LazyLock<Regex> = LazyLock::new(|| {
    pattern(&format!(
        r"(?x) ^
        (?: (?:(?:sorry|oops|whoa|unfortunately|it\slooks\slike|looks\slike|we'?re\ssorry|please\swait\sand\stry\sagain\slater|we\shave\sdetected\sunusual\straffic)[,!:.\s]+)* )
        (?:
          (?:http\s(?:error\s)?|error\s(?:code:?\s)?|status\s(?:code\s)?|E)? (?:429|529)
            (?: $ | [\s:()\[\]'-]+ (?:too\smany\srequests|overloaded|rate\s?limit(?:ed|\sexceeded|\sreached)?|quota\sexceeded|resource\shas\sbeen\sexhausted|you\sexceeded\syour\scurrent\squota) | \s?[,.:;(\[\{{\x22] )
        | (?:too\smany\s|toomany)(?:\w+\s)?{{0}}(?:(?:concurrent|failed|api)\s)?(?:requests?|tokens(?:\sper\s\w+)?|api\scalls|login\sattempts|queries)(?:\shit\sthe\sapi\stoo\squickly|\sin\s\d+\s\w+|\sfrom\s(?:this|your)[\w\s]+)?
        | (?:[\w.'’-]+\s){{0,3}}?
          (?:rate[\s-]?limit|{COUNTED}+(?:limits?|cap|quota)(?:\sper\s\w+)?)
            (?:\sof\s\d+[\w\s/]{{0,40}}?)? (?:\s(?:is|was|has\sbeen|have\sbeen|already))* \s? (?:exceeded|reached|hit|exhausted|used\sup|ed)
        | rate[\s-]limit(?:\serror)?$ | limit\s(?:reached|exceeded)(?:$|\s?[·∙|.,!])
        | (?:(?:your|the|this|monthly|daily|api|account|free|project|billing|organization'?s?)\s){{0,4}} quota(?:\serror)?(?:\s(?:is|was|has\sbeen|already|limit))*\s(?:exceeded|reached|exhausted)
        | (?:you(?:['’]ve|\shave|['’]re|\sare|\sran|)?|we(?:['’]ve|\shave|['’]re)?|your\s(?:organization|account|api\skey|team|workspace|requests?\sto\s\S+(?:\sfor\s\S+)?(?:\sin\s[\w\s]+?)?)\shas?(?:ve)?)\s
            (?:already\s|temporarily\s|blocked\sfor\s|currently\s|been\s|being\s|just\s|out\s)*
            (?:exceed(?:ed|ing)?|reached|hit|used|exhausted|over|of|out\sof|run\sout\sof|rate[\s-]?limited|throttled|sending|sent|making|triggered)
            (?:\s[\w'’-]+){{0,7}}?
            (?:\s(?:usage\s(?:limits?|cap)|limits?|quotas?|credits?|allowance|usage|cap|capacity)\b|\stoo\s(?:many\s(?:requests|tokens|calls)|quickly|fast|often)|\sabuse\sdetection\smechanism|\sfree\srequests)
        | (?:you(?:['’]ve|\shave|['’]re|\sare)?|we(?:['’]ve|\shave|['’]re)?|(?:your\s|the\s|this\s)?request(?:s|\swas|\swere)?(?:\swas)?)\s(?:been\s|being\s|temporarily\s)*(?:rate[\s-]?limited|throttled)
        | throttled(?:$|[.:!,;]|\sby\sthe\sapi) | rate[\s-]?limited(?:$|[.:!,;]|\sby\sthe\sapi)
        | (?:that|the|this|selected|our|we)?\s?(?:model|server|service|engine|api|servers)?\s?(?:is|are)\s(?:currently\s|temporarily\s)*(?:overloaded|at\scapacity|too\sbusy|experiencing\shigh\sdemand)
        | (?:[\w.-]+\s){{0,3}}is\s(?:currently\s)?(?:rate[\s-]?limiting|throttling)\s(?:us|you|your|requests) | we'?re\sexperiencing\shigh\sdemand | (?:server\s)?overloaded(?:$|[.,:!;]) | server\sis\stemporarily\slimiting\srequests
        | slow\sdown(?:$|[!.,]) | rate\sexceeded(?:$|[.:!]) | please\sreduce\syour\srequest\srate
        | resource\s?(?:has\sbeen\s)?exhausted
        | (?:your\s)?credit\sbalance\sis\stoo\slow | insufficient\s(?:credits|balance|quota) | spending\scap\sreached | billing\shard\slimit\shas\sbeen\sreached
        | retry\slater\.?$
        | (?:[\w.-]+\s){{0,3}}?(?:got|received|returned|responded\swith|failed\swith|gave)\s(?:an?\s|the\s)?(?:unexpected\s)?(?:http(?:/\d(?:\.\d)?)?\s|status\s(?:code\s)?|error:?\s)*(?:429|529)(?:[\s:(-]+too\smany\srequests\)?)?
        | max\sretries\sexceeded:\s(?:429|529)(?:[\s:(-]+too\smany\srequests\)?)? | (?:your|the)\s(?:\w+\s)?limits?\swill\sreset\sat\s[\w:]+ | status(?:\scode)?[:=]\s?(?:429|529)[,;]
        | your\s(?:[\w-]+\s){{0,4}}?(?:credits?|quota|allowance|limit|balance)\s(?:has|have)\sbeen\s(?:exhausted|exceeded|reached|used\sup|depleted)
        | exceeded\sretry\slimit,\slast\sstatus:\s(?:429|529)
        | requests\sto\sthe\s.{{1,120}}?\shave\sexceeded\s(?:token|call)\srate\slimit
        | (?:a\s)?rate-limit\shas\sbeen\sreached | (?:daily|monthly|weekly|hourly|maximum)\s(?:number\sof\s)?(?:requests?|limit|quota)(?:\sper\s\w+|\slimit)?\s(?:exceeded|reached)
        | exceeded\s\d+\scalls\sper\ssecond | a\swait\sof\s\d+\sseconds\sis\srequired | this\sendpoint\shas\sbeen\srequested\stoo\smany\stimes
        | this\srequest\swould\sexceed\s(?:your|the)\s | (?:this\s)?organization's\smonthly\susage\slimit\shas\sbeen\sreached
        | ratelimit\sexceeded | (?:ratelimited|rate_limited|toomanyrequests|err_too_many_requests|rate_?limit_?(?:error|exceeded)|overloaded_error|insufficient_quota|quota_exceeded|throttlingexception)(?:$|[:.,])
        )"
    ))
});

/// What follows such a sentence when it was no prose about limits.
static GOES_ON: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r#"^(?:[\s]*$|\s*[.,;:!|·∙•—–\-()\[\]{}<>"'*`/]|\s+(?:for (?:[^a\s]|a\S)\S*|in|by|at|to|with|and|please|try|retry|retrying|wait|waiting|after|per|today|this|until|while|when|of|from|because|due|resets?|renews|upgrade|you|we|that restricts|or|on (?:tokens|requests|this|the|your|input|output|model|organization|key)|hit|reached|as|again|here|has|have|left|is used up)\b)"#,
    )
});

/// What makes of such a sentence an account of what is over or might be.
static OVER: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"\b(?:succe(?:ss|eded|ssful(?:ly)?)|then completed|run completed|passed|resumed|recovered|switched to key|retried after|is the |are the |means?|the server answers|no longer|goals?|destination|expectations)\b|\b(?:finished|done)\b",
    )
});

/// Whether `text` begins with a sentence by which a provider refuses.
pub(super) fn refuses(text: &str) -> bool {
    if is_named(text) {
        return true;
    }
    let Some(found) = SENTENCE.find(text) else {
        return false;
    };
    // What ends in punctuation has shown that it is over.
    let ended = found.as_str().ends_with(|c: char| !c.is_alphanumeric());
    let rest = &text[found.end()..];
    (ended || GOES_ON.is_match(rest)) && !OTHER.is_match(text) && !OVER.is_match(text)
}

/// Whether `text` begins with the name of an error that is about a limit, and a colon.
pub(super) fn is_named(text: &str) -> bool {
    let name = text.split_once(':').map_or("", |(name, _)| name);
    let is_name = name.len() > 3 && !name.contains(char::is_whitespace);
    is_name && name.chars().any(char::is_alphabetic) && mentions(name)
}

/// Whether `text` says that what it tells of is over.
pub(super) fn is_over(text: &str) -> bool {
    OVER.is_match(text)
}

static QUOTA: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"insufficient[ _](?:quota|credits?|balance|funds)|balance is too low|out of (?:extra usage|credits)|(?:used|exhausted) all available credits|purchase (?:more )?credits|no quota|quota_exceeded|current[ _]quota|billing|spend(?:ing)? (?:cap|limit)|premium request allowance|monthly|for this month|this billing period|included credits|usage cap|free usage exceeded",
    )
});
static PER_TIME: LazyLock<Regex> = LazyLock::new(|| {
    pattern(r"per[ -_]?(?:second|minute|hour|day)|\b(?:RPM|TPM|RPD)\b|daily|retry in")
});
static BUSY: LazyLock<Regex> = LazyLock::new(|| {
    pattern(r"overloaded|capacity|too busy|high demand|\b529\b|\b503\b|unavailable")
});

/// Which limit a message is about.
pub(super) fn kind(text: &str) -> LimitKind {
    if QUOTA.is_match(text) && !PER_TIME.is_match(text) {
        return LimitKind::Quota;
    }
    if BUSY.is_match(text) { LimitKind::Overloaded } else { LimitKind::RateLimited }
}
