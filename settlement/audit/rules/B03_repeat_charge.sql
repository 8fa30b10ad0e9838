-- id             = "B03"
-- name           = "重复收费"
-- name_en        = "item charged again beside the item that contains it"
-- purpose        = "从项已包含在主项内,又在规定窗口内另行收费"
-- purpose_en     = "an item contained in another one is charged beside it within the window"
-- national_ref   = "GZ10000102012000"
-- category       = "policy"
-- grade          = "违规"
-- status         = "active"
-- scope          = ["hospital", "outpatient"]
-- dated_by       = "fee_ocur_time"
-- reads          = ["line", "kb_pair"]
-- deduction      = "DL"
-- effective_from = 2021-05-01
-- message        = "该项目已含在主项 {main} 内,在{window}内与主项({main_line})同时收费"
-- message_en     = "contained in main item {main}, charged together with it ({main_line}) within {window}"
--
-- [[basis]]
-- source  = "law-735"
-- article = "第三十八条第三项"
--
-- [limits]
-- misses = "主项与从项分属不同申报月或不同机构;不同部位、不同切口等知识库备注中的例外;费用时间没有时刻的小时窗口只按同日判断,列为可疑"

-- A clock of exactly 00:00:00 means that the institution sent a day without a time of day.
WITH listed AS (
    SELECT
        setl_id, bkkp_sn, psn_no, fixmedins_code, mdtrt_id, d, fee_ocur_time, hilist_code,
        setl_id || '/' || bkkp_sn AS line_id, fee_ocur_time > CAST(d AS TIMESTAMP) AS timed
    FROM line
    WHERE hilist_code IN (SELECT main_code FROM kb_pair UNION SELECT sub_code FROM kb_pair)
),

-- Contained lines of persons who had the main item at all: keeps the pair list from multiplying every line
sub AS (
    SELECT
        listed.setl_id, listed.bkkp_sn, listed.line_id, listed.psn_no, listed.fixmedins_code, listed.mdtrt_id,
        listed.d, listed.fee_ocur_time, listed.timed, kb_pair.main_code, kb_pair.time_window
    FROM listed
    INNER JOIN kb_pair
        ON listed.hilist_code = kb_pair.sub_code AND listed.d BETWEEN kb_pair.begndate AND kb_pair.enddate
    WHERE
        (listed.psn_no, listed.fixmedins_code, kb_pair.main_code)
        IN (SELECT psn_no, fixmedins_code, hilist_code FROM listed)
),

-- Each main line stands in one slot per kind of window. A slot keeps its first and last main line only,
-- so that thousands of lines of one placeholder person never meet each other row by row.
main_slot AS (
    SELECT psn_no, fixmedins_code, hilist_code AS main_code, kind, slot, MIN(line_id) AS low, MAX(line_id) AS high
    FROM (
        SELECT psn_no, fixmedins_code, hilist_code, line_id, '单日' AS kind, CAST(d AS VARCHAR) AS slot FROM listed
        UNION ALL
        SELECT psn_no, fixmedins_code, hilist_code, line_id, '单次就诊' AS kind, mdtrt_id AS slot FROM listed
        UNION ALL
        SELECT
            psn_no, fixmedins_code, hilist_code, line_id,
            CASE WHEN timed THEN '同一小时' ELSE '无时刻' END AS kind,
            CASE WHEN timed THEN CAST(DATE_TRUNC('hour', fee_ocur_time) AS VARCHAR) ELSE CAST(d AS VARCHAR) END AS slot
        FROM listed
    ) AS placed
    WHERE (psn_no, fixmedins_code, hilist_code) IN (SELECT psn_no, fixmedins_code, main_code FROM sub)
    GROUP BY psn_no, fixmedins_code, hilist_code, kind, slot
),

sub_slot AS (
    SELECT
        setl_id, bkkp_sn, line_id, psn_no, fixmedins_code, main_code, time_window, time_window AS kind,
        CASE time_window
            WHEN '单日' THEN CAST(d AS VARCHAR)
            WHEN '单次就诊' THEN mdtrt_id
            ELSE CAST(DATE_TRUNC('hour', fee_ocur_time) AS VARCHAR)
        END AS slot,
        TRUE AS sure
    FROM sub
    WHERE time_window IN ('单日', '单次就诊') OR (time_window = '同一小时' AND timed)
    UNION ALL
    -- An hour window without a time of day on either side is judged by the day, and stays a suspicion
    SELECT
        setl_id, bkkp_sn, line_id, psn_no, fixmedins_code, main_code, time_window,
        CASE WHEN timed THEN '无时刻' ELSE '单日' END AS kind,
        CAST(d AS VARCHAR) AS slot, FALSE AS sure
    FROM sub WHERE time_window IN ('同一小时', '6小时')
),

near AS (
    SELECT setl_id, bkkp_sn, line_id, main_code, MIN(main_line) OVER around AS low, MAX(main_line) OVER around AS high
    FROM (
        SELECT
            psn_no, fixmedins_code, hilist_code AS main_code, fee_ocur_time, line_id AS main_line,
            NULL AS setl_id, NULL AS bkkp_sn, NULL AS line_id
        FROM listed
        WHERE timed AND hilist_code IN (SELECT main_code FROM kb_pair WHERE time_window = '6小时')
        UNION ALL
        SELECT psn_no, fixmedins_code, main_code, fee_ocur_time, NULL, setl_id, bkkp_sn, line_id
        FROM sub
        WHERE timed AND time_window = '6小时'
    ) AS stream
    WINDOW around AS (
        PARTITION BY psn_no, fixmedins_code, main_code ORDER BY fee_ocur_time
        RANGE BETWEEN INTERVAL 6 HOUR PRECEDING AND INTERVAL 6 HOUR FOLLOWING
    )
),

met AS (
    SELECT s.setl_id, s.bkkp_sn, s.line_id, s.main_code, s.time_window, s.sure, m.low, m.high
    FROM sub_slot AS s
    INNER JOIN main_slot AS m
        ON s.psn_no = m.psn_no AND s.fixmedins_code = m.fixmedins_code AND s.main_code = m.main_code
        AND s.kind = m.kind AND s.slot = m.slot
    UNION ALL
    SELECT setl_id, bkkp_sn, line_id, main_code, '6小时', TRUE, low, high
    FROM near WHERE setl_id IS NOT NULL
)

-- A list that names one code as both sides must not let a line be its own main item
SELECT
    setl_id, bkkp_sn, CAST(1 AS DECIMAL(18, 4)) AS part, CAST(1 AS DECIMAL(18, 4)) AS whole,
    CASE WHEN low = line_id THEN high ELSE low END AS related,
    'main=' || main_code || ' window=' || time_window
    || ' main_line=' || CASE WHEN low = line_id THEN high ELSE low END AS evidence,
    CASE WHEN sure THEN '违规' ELSE '可疑' END AS grade
FROM met
WHERE low <> line_id OR high <> line_id
QUALIFY ROW_NUMBER() OVER (
    PARTITION BY setl_id, bkkp_sn
    ORDER BY sure DESC, CASE WHEN low = line_id THEN high ELSE low END, main_code, time_window
) = 1
