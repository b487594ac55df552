//! The same in other languages than English: a handful of their nouns and verbs.

use std::sync::LazyLock;

use regex::Regex;

use crate::pattern::pattern;

/// Longest text in another language that is a message as a whole.
const CHARS_MAX: usize = 240;

static SAID: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?x)
          # German
          (?:limit|kontingent|quota|quote|ratenbegrenzung|anfragelimit|nutzungslimit|tageslimit|guthaben)\b[^.!?]{0,60}?\b(?:überschritten|erreicht|erschöpft|aufgebraucht|ausgeschöpft|verbraucht)
        | zu\ viele\ (?:anfragen|aufrufe|versuche|zugriffe) | (?:ist|sind|server|dienst|modell)\s[^.!?]{0,30}?(?:überlastet|ausgelastet)
          # French
        | trop\ de\ (?:requêtes|demandes|tentatives|appels) | (?:limite|quota|plafond)\b[^.!?]{0,60}?\b(?:atteinte?|dépassée?|épuisée?) | (?:atteint|dépassé|épuisé)\s[^.!?]{0,40}?\b(?:limite|quota|plafond|crédits) | surchargée?\b
          # Spanish, Portuguese, Italian
        | demasiad[ao]s\ (?:solicitudes|peticiones|consultas|llamadas) | (?:límite|limite|cuota|cota|quota)\b[^.!?]{0,60}?\b(?:superad[oa]|excedid[oa]|alcanzad[oa]|agotad[oa]|atingid[oa]|ultrapassad[oa]|esgotad[oa]|raggiunt[oa]|superat[oa]|esaurit[oa]) | (?:ha[ns]?|você|hai)\s(?:\w+\s)?(?:superado|excedido|alcanzado|agotado|atingiu|excedeu|superato|raggiunto)\s[^.!?]{0,40}?\b(?:límite|limite|cuota|cota|quota) | (?:muitas|excesso\ de)\ (?:solicitações|requisições) | troppe\ richieste | sobrecargad[oa]\b | sobrecarregad[oa]\b | sovraccaric[oa]\b
          # Dutch, Russian
        | te\ veel\ (?:verzoeken|aanvragen) | limiet\s[^.!?]{0,30}?(?:bereikt|overschreden) | слишком\ много\ запросов | (?:лимит|квота)\s[^.!?]{0,40}?(?:превышен|исчерпан|достигнут) | превышен\w*\ (?:лимит|квота|ограничение)
          # Chinese
        | 请求(?:过于|太|过)?(?:频繁|过多|太多|过快)|(?:请求|访问|负载|并发|频率|调用)[量数]?过[高大多快]|請求(?:過於|太)?(?:頻繁|過多)|(?:频率|速率|调用|请求|并发|次数|用量|使用|配额|额度|限额|流量)[^。！？]{0,12}?(?:超出|超过|超限|上限|受限|已达|达到|用完|用尽|耗尽|不足)|(?:超出|超过|达到|触发)[^。！？]{0,16}?(?:限制|上限|配额|额度|限流|限额|频率)|余额不足|欠费|已?被限流|(?:服务|系统|模型|引擎|服务器)[^。！？]{0,8}?(?:繁忙|过载|负载过高)|操作(?:过于)?频繁|访问(?:过于)?频繁
          # Japanese
        | リクエスト[^。]{0,12}?(?:多すぎ|超え|超過|上限|制限)|(?:レート|利用|使用|回数|リクエスト)?(?:制限|上限|クォータ)[^。]{0,12}?(?:達し|超え|超過|到達|かかり)|(?:混雑|混み合)って|過負荷
          # Korean
        | 요청이\ 너무\ 많|(?:한도|할당량|제한)[^.]{0,12}?(?:초과|도달|소진)|과부하
        ",
    )
});

/// What makes of such words a condition, a topic, or somebody's work.
static TALK: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?x)\b(?:wenn|falls|sobald|bei|ich|wir|wird|würde|kann|si|lorsque|quand|je|nous|cuando|cada|hemos|yo|als|wanneer|если|когда|я|мы)\b|如果|当[^前]{1,20}时|時に|場合|とき|我(?:已|们|添加|修)|修复|添加了|增加了|补充|完成|测试|实现|説明|対応しました|追加し|bedeutet|heißt|significa|signifie|means|added| = |```",
    )
});

/// What a short text says of a limit.
pub(super) fn says(text: &str) -> Option<String> {
    let is_short = text.chars().nth(CHARS_MAX).is_none() && !text.starts_with('"');
    let says = is_short && SAID.is_match(text) && !TALK.is_match(text);
    says.then(|| text.to_owned())
}
