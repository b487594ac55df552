//! The grammar of what providers say when a limit is reached, over rows of [`words`].

use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

use super::words::words;
use crate::pattern::words_pattern;

/// A place in a row of words that says that a limit is reached.
#[derive(Clone, Debug)]
pub(super) struct Claim {
    /// Where it stands.
    pub(super) at: Range<usize>,
    /// What it needs to be believed.
    pub(super) needs: Needs,
}

/// What a claim needs to be believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Needs {
    /// Nothing: it speaks of limits and of nothing else.
    Nothing,
    /// To be an error, or support nearby.
    Mark,
    /// Support nearby.
    Support,
}

/// Words for what a provider counts or for whom. Any of them may stand before the noun.
const COUNTED: &str = r"(?:rate|usage|use|requests?|api|calls?|tokens?|messages?|messaging|query|queries|prompts?|daily|weekly|monthly|hourly|yearly|annual|per|minute|min|seconds?|secondly|session|plan|spend|spending|free|hours?|days?|weeks?|months?|concurrency|concurrent|pulls?|downloads?|trial|tier|billing|premium|account|organizations?|org|team|workspace|project|subscription|key|users?|tpm|rpm|rpd|tpd|itpm|otpm|qps|rps|tps|throughput|bandwidth|credits?|search|searches|lookups?|invocations?|transactions?|egress|traffic|burst|throttle|throttling|generations?|images?|interactions?|completions?|inference|opus|sonnet|haiku|gpt|gemini|claude|copilot|chat|agent|fast|background|hard|soft|global|secondary|service|client|application|app|ip|included|overage|bucket|pro|max|basic|sending|uploads?|publishing|posting|invites?|crawl|fetch|export|import|sync|webhook|action|workflow|minutes|seat|bot|page|tool|web|code|review|reviews|build|deploy|deployments?|email|sms|read|write|reads|writes|operations?|job|jobs|units?|points?|cost|complexity|compute|gpu|quota|your|character|\d+h?)";

/// Nouns for a bound on what is counted.
const BOUND: &str = r"(?:limits?|quotas?|caps?|allowances?|allotments?|allocations?|ceilings?|thresholds?|limitations?)";

/// Things of which a provider gives so much.
const SUPPLY: &str = r"(?:credits?|quotas?|tokens?|requests?|messages?|calls?|searches|queries|prompts?|balance|funds|usage|allowances?|capacity|generations?|completions?|uses|interactions?|minutes)";

/// That a bound is met, after its name or before it.
const MET: &str = r"(?:exceeded|exceeds|exceed|exceeding|reached|reaching|reach|hit|exhausted|depleted|consumed|surpassed|crossed|violated|violation|maxed\ out|maxed|overrun|used\ up|passed|spent|tripped|triggered|breached|blown|drained|expended|overdrawn|gone|run\ out|ran\ out|kicked\ in|in\ effect|applied|is\ full|saturated)";

/// That a bound is met: `daily request limit for this key has been reached`, `you exceeded your
/// current quota`.
fn bounds() -> String {
    let named = format!(r"(?:{COUNTED}\ (?:of\ )?)+{BOUND}");
    format!(
        r"          (?:{named} | (?:^|\w+\ [:,]\ |(?:your|the|a|an|this|our|its|error|of|my|all|no|[\d]+|exceeded|code)\ )quotas? | rate\ limit(?:ing|er)? | ratelimit) \ (?:: \ )?
            (?:(?:[\w.]+|,)\ ){{0,8}}? {MET}
        | (?:{MET}|over|above|past|beyond) \ (?:[\w.]+\ ){{0,6}}? (?:{named}|quotas?|rate\ limit(?:ing)?|ratelimit|included\ credits|premium\ requests?|token\ usage)
        | limit\ of\ [\d.]+\ (?:\w+\ ){{0,5}}?{MET} | (?:billing|usage|rate|request)\ ?(?:limit\ )?(?:{MET}|violation) | quota\ ?(?:exceeded|exhausted|limit\ exceeded)\ (?:exception|error|fault|failure)
        | (?:reached|exceeded|hit|exceeds|exceed)\ (?:[\w.]+\ ){{0,3}}? (?:max|maximum)\ (?:number\ of\ |allowed\ |concurrent\ ){{0,3}}(?:requests?|calls|queries)
        | (?:exceeded|exceeds|exceed|over|more\ than)\ [\d.]+\ (?:\w+\ )?(?:calls|requests|queries|tokens|messages)\ (?:per|in|within|every)
        | (?:max|maximum)\ (?:\w+\ ){{0,4}}?(?:requests?|{SUPPLY})\ (?:[\w.]+\ ){{0,6}}?{MET}
        | (?:requests?|calls|messages|tokens|queries)\ (?:allowed\ |permitted\ )?per\ \w+\ (?:[\w.]+\ ){{0,4}}?{MET}
        | (?:requests?|calls|messages|tokens|queries|usage)\ (?:[\w.]+\ ){{0,6}}?(?:has|have|had)\ (?:exceeded|reached|surpassed)\ (?:the|your|our|its|their|allowed|a)?
        | you(?:ve|re)?\ (?:have\ )?(?:\w+\ )?{MET}\ (?:[\w.]+\ ){{0,5}}?{BOUND}"
    )
}

/// That the supply has ended: `you have run out of credits`, `insufficient quota`.
fn supplies() -> String {
    format!(
        r"          (?:ran|run|are|re|youre|is|am|were)\ out\ of\ (?:\w+\ ){{0,3}}?{SUPPLY}
        | ^out\ of\ (?:\w+\ ){{0,2}}?{SUPPLY}
        | used\ (?:up\ )?(?:all|100\ percent|your\ entire|the\ entire)\ (?:\w+\ ){{0,5}}?{SUPPLY}
        | (?:used|consumed|spent)\ (?:up\ )?(?:\w+\ ){{0,3}}?(?:daily|monthly|weekly|hourly|free|included|available)\ (?:\w+\ ){{0,2}}?{SUPPLY}
        | (?:no|zero|0)\ (?:(?:more|remaining|available)\ (?:\w+\ )?{SUPPLY}|credits?|quota|balance)
        | insufficient\ (?:\w+\ ){{0,2}}?(?:quota|credits?|balance|capacity|tokens)
        | requires?\ more\ (?:credits?|quota|balance) | not\ (?:have\ )?enough\ (?:\w+\ )?(?:credits?|quota|balance|tokens|capacity) | (?:credits?|balance)\ (?:\w+\ )?(?:is\ |are\ )?(?:\w+\ )?(?:too\ low|insufficient|negative|empty)
        | (?:credits?|allowance|balance|usage|supply|allotment)\ (?:[\w.]+\ ){{0,4}}?(?:exhausted|depleted|used\ up|exceeded|consumed|run\ out)
        | exhausted\ (?:your|the|its|all)\ (?:\w+\ ){{0,3}}?{SUPPLY}
        | (?:no|0|zero|without)\ (?:\w+\ ){{0,3}}?{SUPPLY}\ (?:left|remaining|remain|available) | (?:credits?|quota|balance|allowance|tokens)\ (?:is|are|has|have)\ (?:all\ |now\ |been\ )*(?:gone|finished|empty|spent|used\ up|run\ out)"
    )
}

/// That too much comes at once: `too many requests`, `you are being rate limited`.
const TOO_MUCH: &str = r"more\ than\ (?:your|the|its)\ (?:\w+\ )?(?:plan|tier|account|subscription|quota|limit)\b | exceed\w*\ (?:the\ )?(?:allowed|permitted|maximum)\ (?:\w+\ ){0,2}?(?:volume|rate|frequency|usage|(?:number\ of\ )?(?:requests|calls|messages)|number\ of\ (?:concurrent|simultaneous|parallel))
        | (?:rejected|refused|denied|blocked|aborted|failed|ended|closed|replied|replies)\ (?:with\ |by\ |due\ to\ |on\ |because\ of\ )?(?:\w+\ ){0,3}?(?::\ )?(?:429|529)
        | (?:sent|made|issued|used|consumed|submitted|sending|making)\ more\ (?:\w+\ ){0,2}?(?:requests|calls|queries|tokens|messages|credits|than)
        | (?:rate|frequency|requests|qps|rps|concurrency)\ (?:\w+\ ){0,4}?(?:too\ (?:quickly|fast|high|large|many)|is\ large)
        | (?:trigger(?:ed|s)?|tripped|activated|enforced|hit)\ (?:\w+\ ){0,3}?(?:rate\ limit\w*|frequency\ limit|flow\ control|throttl\w+|risk\ control|ratelimit)
        | (?:number\ of\ |these\ |your\ )?(?:requests|calls|queries)\ (?:[\w.]+\ ){0,16}?(?:exceeded|exceeds|exceed)\ (?:the|your|our|its|allowed|max|maximum)
        | (?:invoked|called|requested|tried|attempted|used)\ too\ many\ times | flood\ (?:control|wait)(?:\ exceeded)? | spike\ arrest | ratelimit\ :\ \w+
        | per\ (?:min|minute|day|hour|second|sec)\ (?:\w+\ )?(?::\ )?limit\ (?::\ )?[\d.]+
        | too\ many\ (?:[\w.]+\ ){0,3}?(?:requests?|tokens|calls|queries|messages|attempts|tries|concurrent(?:\ (?:requests|calls|sessions|jobs|queries))?|logins?|pulls|downloads|searches|certificates|invocations|operations|hits|registrations|api|429|529|ops|prompts|submissions|emails|sessions\ from|failed\ login)
        | toomanyrequests | (?:send|sent|sending|making|made|submitting)\ (?:[\w.]+\ ){0,4}?too\ (?:quickly|fast|frequently|often|rapidly|many\ (?:[\w.]+\ )?(?:requests?|\w+))
        | requests?\ (?:are\ |is\ |were\ |being\ |made\ |sent\ )*(?:too|more)\ (?:quickly|fast|frequently|often|frequent|rapidly) | too\ much\ (?:traffic|load|\w+\ weight) | (?:request|usage)\ weight\ used
        | rate\ limit(?:ed|ing)?\ (?:error|exception|reached|hit|exceeded|fault) | rate\ ?limited | ratelimited | ratelimit(?:error|exceeded|reached)
        | rate\ limiting\ (?:us|you|me|requests|(?:your|this|the|all|our)\ \w+)
        | (?:hit|hitting|tripped|triggered|encountered|experienced)\ (?:\w+\ ){0,3}?rate\ limit(?:s|ing|er)?
        | had\ to\ rate\ limit | rate\ exceeded | (?:is|are|was|were|been|being|get|got|getting)\ (?:\w+\ )?throttled | throttled\ (?:by|due|exception|error|because)
        | throttl(?:ed|ing)\ ?(?:exception|error) | requests?\ (?:\w+\ )?throttled | throttling\ : | throttling\ (?:your|requests|error|limit)
        | limit\ exceeded\ (?:exception|error|fault) | request\ limit\ exceeded | throughput\ (?:[\w.]+\ ){0,5}?exceeded | provisioned\ throughput
        | resource\ (?:has\ been\ |is\ )?exhausted | resourceexhausted | flood\ wait | wait\ of\ \d+\ seconds\ is\ required | enhance\ your\ calm
        | over\ query\ limit | ^retry\ later$ | ^rate\ limit$ | ^throttled$ | (?:^|\w+\ :\ )(?:please\ )?slow\ down$ | (?:^|requests?\ |access\ |operation\ |is\ |are\ )too\ frequent | (?:\w+\ :\ )rate\ limit(?:\ 429)?$ | (?:exceeded|key\ over|max)\ budget | quotas?\ (?:\w+\ ){0,3}?(?:insufficient|denied|unavailable|too\ low) | ^limits?\ (?:exceeded|reached|hit)$ | (?:quota|rate)\ (?:limit\ )?violation | abuse\ detection | requested\ too\ many\ times | reduce\ (?:your\ |the\ )?(?:request|requests)?\ ?(?:rates?|frequency)
        | (?:requests?|calls|queries)\ (?:[\w.]+\ ){0,8}?faster\ than | our\ (?:\w+\ ){0,3}?(?:rate\ limit|limit|frequency|quota)\ is\ [\d.]+\ (?:requests|calls|queries)\ per
        | exceed\w*\ (?:\w+\ ){1,4}?per\ (?:second|minute|hour|day) | over\ the\ (?:allowed|permitted|maximum)\ (?:\w+\ )?limit
        | exceed\w*\ the\ (?:maximum\ )?number\ of\ (?:\w+\ ){0,3}?(?:requests|calls|lookups|queries|messages|searches|attempts)
        | (?:exceeded|exceeding|exceeds)\ (?:the\ |your\ )?usage\ of\ resource
        | limiting\ (?:your\ |incoming\ )?requests | consider\ throttling | (?:your|our|the)\ (?:allowed|permitted|maximum|max)\ (?:\w+\ )?rate\ is\ [\d.]+\ \w+\ per | no\ quota | current\ quota";

/// That the provider has too much to do: `the model is currently overloaded`.
fn too_busy() -> String {
    format!(
        r"          overloaded\ (?:error|exception) | (?:servers?|models?|service|system|engine|api|backend|cluster|upstream|provider)\ (?:(?:is|are|was|currently|temporarily|too|very)\ )*(?:overload(?:ed)?|busy|at\ capacity) | (?:currently|temporarily)\ overloaded | overloaded\ with\ (?:other\ |too\ many\ )?requests | ^(?:\w+\ ){{0,2}}overloaded$
        | (?:(?:service\ tier|model|server)\ capacity\ {MET}|exhausted\ your\ capacity) | (?:out\ of|no|insufficient|lack\ of)\ (?:available\ |more\ |enough\ )?capacity"
    )
}

/// The same by number, where a number is a status: `HTTP 429`, `error code: 1015`.
const NUMBERS: &str = r"(?:https?(?:\ [\d.]+)?|status|code|codes|error|err|response|responded\ with|returned|received|says|got|gave|reason|failed\ with|e|errno|repeated|many|api)\ (?:(?:code|status|error|http|an?|an\ http|the|is|was|of|response|unexpected)\ ){0,3}(?::\ )?(?:429|529)
        | (?:e|http|hap|err)429 | ^(?:429|529)\ (?:\w+\ ){0,4}?(?:error|returned) | (?:429|529)\ (?::\ )?(?:client\ error|error|response\ from|status|unknown|rate\ \w+|quota\ \w+|too\ many\ \w+|resource|you\ exceeded|slow\ down|throttl\w+|overload\w*|exceeded)
        | (?:1015|10429|20429)\ (?:rate|you\ are|too) | (?:error|code)\ (?:code\ )?(?::\ )?(?:1015|10429|20429)";

/// What speaks of a limit and of nothing else.
static SURE: LazyLock<Regex> = LazyLock::new(|| {
    let all = [&bounds(), &supplies(), TOO_MUCH, &too_busy(), NUMBERS];
    words_pattern(&format!(r"(?x)\b(?:{})\b", all.join("|")))
});

/// What may speak of something else too.
static LIKELY: LazyLock<Regex> = LazyLock::new(|| {
    words_pattern(&format!(
        r"(?x)\b(?:
          (?:at|over|exceeded|reached|exhausted)\ (?:its\ |our\ |your\ |full\ |max\ |maximum\ |the\ ){{0,2}}capacity | capacity\ (?:exceeded|exhausted|reached|unavailable) | doing\ that\ (?:too\ much|a\ lot) | (?:resource|usage|access)\ (?:is|has\ been)\ (?:\w+\ )?limited | (?:temporarily|currently|been|being|heavily)\ (?:rate\ )?limited | cool(?:ing)?\ ?down | back\ off | (?:servers?|service|system|queue|model|cluster|workers?)\ (?:is|are)\ (?:\w+\ )?(?:full|saturated|overwhelmed|congested|swamped) | overwhelmed | (?:only|maximum\ of|max|limit\ of)\ [\d.]+\ (?:\w+\ ){{0,3}}?(?:requests|calls|queries|messages)\ (?:[\w.]+\ ){{0,3}}?(?:allowed|permitted|per) | (?:exceeded|over)\ (?:\w+\ ){{0,2}}?budget | budget\ (?:has\ been\ )?(?:exceeded|exhausted) | {BOUND}\ (?:[\w.]+\ ){{0,4}}?{MET} | {MET}\ (?:[\w.]+\ ){{0,5}}?{BOUND} | overload(?:ed)? | slow\ ?down | throttl(?:ed|ing)
        | (?:too|very|currently|temporarily|system|server|service|model|engine)\ busy | \brate\ limit\ error$ | ^limit\ (?:reached|exceeded)$
        | (?:high|heavy)\ (?:usage|use) | unusual\ (?:traffic|activity) | server\ is\ (?:\w+\ )?(?:struggling|degraded)
        | ^(?:429|529)$ | too\ (?:quickly|fast|often|frequently|frequent) | out\ of\ (?:extra\ )?(?:usage|credits|quota|tokens)
        | premium\ request\ allowance | (?:high|heavy|excessive|unprecedented|peak|increased|elevated|extreme)\ (?:\w+\ ){{0,2}}?(?:demand|load|traffic|volume) | (?:service|model|server|provider)\ capacity
        )(?:\b|$)"
    ))
});

/// What mostly speaks of something else.
static VAGUE: LazyLock<Regex> = LazyLock::new(|| words_pattern(r"\btoo many \w+"));

/// Bounds that no provider sets, and rates that are no rates of requests.
static OTHER: LazyLock<Regex> = LazyLock::new(|| {
    words_pattern(
        r"(?x)\b(?:
          (?:cpu|memory|disk|heap|ram|swap|storage|power|energy|water|fuel|data)\ usage | quota\ project | forbidden\ :\ exceeded\ quota
        | (?:sales|import|export|milk|hiring|immigration|racial|gender|production|disk|mailbox|inodes?|files?|memory|mem|heap|stack|recursion|depth|time|timeout|cpu|size|length|context|characters|lines?|words?|arguments?|column|levels|redirects?|retry|retries|connections?|clients|speed|weight|age|nesting|iterations?|loop|payload|body|overhead|swap|temperature|pressure|height|variable|parameter|instruction|open|descriptors?|watchers|watches|process|processes|threads?|pids|type|inheritance|precision|string|path|name|filename|letter|window|viewport|scroll|attachment|row|field|storage|filesystem|volume|space|card|alcohol|noise|emissions?|fishing|catch|hunting|evaluation|backtrack|complexity)\ (?:(?:size|length|count|descriptor|depth|usage|handle|overhead|time|stack)\ )?(?:limits?|quotas?|caps?|thresholds?|exceeded)
        | [\d.]+\ ?(?:mb|kb|gb|mib|kib|gib|bytes|digits|px|chars|characters|ms|seconds)\ limit | (?:file|image|video|body|payload|input|prompt|text|string|value|integer|length|size|total)\ (?:\w+\ ){0,2}?exceed(?:s|ed)?
        | model\ limit\ of\ \d+ | (?:maximum|max|output|input|completion|total)\ (?:\w+\ )?tokens?\ (?:you\ |that\ )?(?:requested|allowed|limit|length|exceeded|exceeds) | (?:output|response|answer)\ token\ (?:limit|maximum)
        | (?:cpu|gpu|disk|io|thermal|bandwidth|cfs|container\ cpu\ cfs)\ throttl\w+ | throttle\ (?:position|body|valve)
        | (?:heart|interest|frame|bit|sample|sampling|exchange|growth|tax|refresh|conversion|click|bounce|churn|learning|mutation|baud|dropout)\ rates?
        | quota\ for\ (?:home|var|tmp|user\ \w+\ on) | quota\ exceeded\ (?:for\ user\ \w+\ )?on\ (?:dev|device|filesystem|disk) | disk\ quota | (?:edquot|enospc)
        | too\ many\ (?:open|levels|arguments|cooks|redirects|links|files|args|parameters|columns|values|symbolic|positional|nested|recursive|variables|local|errors|warnings|lines|results|matches)
        | (?:maximum|max)\ (?:context|recursion|call\ stack|depth|number\ of\ (?:open|connections|clients|redirects)) | sessions\ per\ user | word\ count
        | character\ limit | credit\ limit | open\ file | max\ connections | speed\ limit | (?:context|prompt)\ (?:is\ )?too\ long
        )\b",
    )
});

/// That such a bound is met.
static OTHERS_MET: LazyLock<Regex> = LazyLock::new(|| {
    words_pattern(
        r"\bother (?:\w+ ){0,2}?(?:exceeded|exceeds|exceed|reached|hit)(?: (?:the|its|a|your|maximum|allowed|limit|threshold|quota|cap|of))*\b",
    )
});

/// What providers add to such words: how long to wait, what to buy.
static SUPPORT: LazyLock<Regex> = LazyLock::new(|| {
    words_pattern(
        r"(?x)\b(?:
          (?:come|check|try)\ (?:back|again) | (?:try|retry|retrying|request|submit|come\ back|check\ back|wait|waiting)\ (?:[\w.]+\ ){0,6}?(?:again|later|after|in|until|before|for|a|few|shortly|moment|\d+\w*)
        | resets?|renews?|refreshes|retry\ after|reset\ (?:at|in|on|after|time) | upgrade|upgrading | (?:limits?|quota)\ will\ reset | please\ (?:wait|retry|try|slow|reduce|upgrade)
        | billing|purchase|subscribe|subscription|increase\ (?:your|the|rate)? | your\ plan | add\ (?:more\ )?(?:credits|funds) | top\ up
        | 429|529|qps|rpm|tpm|tps | retry\ later | regain\ access | per\ (?:second|minute|hour|day|week|month) | rate\ limits? | request\ id | per\ model
        )\b",
    )
});

/// The words of `text` without the limits that no provider sets.
pub(super) fn row(text: &str) -> String {
    OTHERS_MET.replace_all(&OTHER.replace_all(&words(text), "other"), "other").into_owned()
}

/// All that a row of words says of limits that are reached, in order.
pub(super) fn claims(row: &str) -> Vec<Claim> {
    let find = |words: &'static Regex, needs| {
        words.find_iter(row).map(move |found| Claim { at: found.range(), needs })
    };
    let sure = find(&SURE, Needs::Nothing);
    sure.chain(find(&LIKELY, Needs::Mark)).chain(find(&VAGUE, Needs::Support)).collect()
}

/// Whether a row of words has what providers add to such words.
pub(super) fn is_supported(row: &str) -> bool {
    SUPPORT.is_match(row)
}

/// Whether an error of this text is about a limit: whatever it says besides.
pub(super) fn mentions(text: &str) -> bool {
    let row = row(text);
    SURE.is_match(&row) || LIKELY.is_match(&row) && is_supported(&row)
}

/// Words run together or of one kind, that name the error wherever a name is expected.
static NAME: LazyLock<Regex> = LazyLock::new(|| {
    words_pattern(
        r"(?x)\b(?:rate\ limit\w*|ratelimit\w*|too\ many\ \w+|toomany\w+|throttl\w*|slow\ ?down|overload\w*|quota\ ?\w*|over\ quota|server\ ?busy|system\ busy|limit\ ?(?:exceeded|reached)|(?:exceeded|over)\ (?:[\w.]+\ )*(?:limit|quota)|resource\ ?exhausted|insufficient\ (?:quota|credits?|balance)|429|529|model\ capacity\ \w+|usage\ limit\w*|request\ count|capacity|budget\ exceeded)\b",
    )
});

/// Whether the name of an error says that a limit is reached.
pub(super) fn names(name: &str) -> bool {
    let is_name = name.len() <= 160 && !name.trim().contains(' ');
    is_name && (NAME.is_match(&row(name)) || mentions(name))
}
