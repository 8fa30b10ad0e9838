-- id             = "B07"
-- name           = "周期超频次"
-- name_en        = "charged more often in a cycle than allowed"
-- purpose        = "同一人的同一项目在规定周期内收取的次数超过规定次数"
-- purpose_en     = "an item charged for one person more often within a cycle than allowed"
-- national_ref   = ""
-- category       = "policy"
-- grade          = "违规"
-- status         = "active"
-- scope          = ["hospital", "outpatient"]
-- dated_by       = "fee_ocur_time"
-- reads          = ["line", "kb_cycle", "past_line"]
-- deduction      = "DG"
-- effective_from = 2021-05-01
-- message        = "{cycle} 天内共计 {observed} 次,超过 {limit} 次"
-- message_en     = "{observed} within {cycle} days, limit {limit}"
--
-- [[basis]]
-- source  = "law-735"
-- article = "第三十八条第三项"
--
-- [past]
-- days  = 366
-- codes = "SELECT hilist_code FROM kb_cycle"
--
-- [limits]
-- misses = "以不同编码收取的同一项目;往月只看系统内已申报且未冲销的明细,周期长于一年的只看到一年前"

WITH cycle AS (
    SELECT DISTINCT hilist_code, cycle_days
    FROM kb_cycle
),

listed AS (
    SELECT
        line.setl_id, line.bkkp_sn, line.psn_no, line.hilist_code, line.d, line.fee_ocur_time, line.cnt,
        cycle.cycle_days, TRUE AS this_month
    FROM line
    INNER JOIN cycle ON line.hilist_code = cycle.hilist_code
    UNION ALL
    SELECT
        past_line.setl_id, past_line.bkkp_sn, past_line.psn_no, past_line.hilist_code, past_line.d,
        past_line.fee_ocur_time, past_line.cnt, cycle.cycle_days, FALSE AS this_month
    FROM past_line
    INNER JOIN cycle ON past_line.hilist_code = cycle.hilist_code
    WHERE past_line.clr_type IN ('11', '21')
),

-- A line counts from its own day on and no more cycle_days later: one running sum, no pairs of lines
change AS (
    SELECT
        setl_id, bkkp_sn, psn_no, hilist_code, cycle_days, this_month, cnt,
        d AS counts_on, fee_ocur_time, cnt AS difference
    FROM listed
    UNION ALL
    SELECT
        NULL AS setl_id, NULL AS bkkp_sn, psn_no, hilist_code, cycle_days, FALSE AS this_month, cnt,
        d + CAST(cycle_days AS INTEGER) AS counts_on, NULL AS fee_ocur_time, -cnt AS difference
    FROM listed
),

running AS (
    SELECT
        setl_id, bkkp_sn, hilist_code, cycle_days, this_month, cnt, counts_on,
        SUM(difference) OVER (
            PARTITION BY psn_no, hilist_code, cycle_days
            ORDER BY counts_on, fee_ocur_time NULLS FIRST, bkkp_sn, setl_id
            ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
        ) AS observed
    FROM change
)

SELECT
    running.setl_id,
    running.bkkp_sn,
    CAST(LEAST(running.cnt, running.observed - kb_cycle.max_cnt) AS DECIMAL(18, 4)) AS part,
    CAST(running.cnt AS DECIMAL(18, 4))                                             AS whole,
    NULL::VARCHAR                                                                   AS related,
    'observed=' || RTRIM(RTRIM(CAST(running.observed AS VARCHAR), '0'), '.')
    || ' limit=' || RTRIM(RTRIM(CAST(kb_cycle.max_cnt AS VARCHAR), '0'), '.')
    || ' cycle=' || CAST(kb_cycle.cycle_days AS VARCHAR) AS evidence
FROM running
INNER JOIN kb_cycle
    ON running.hilist_code = kb_cycle.hilist_code
    AND running.cycle_days = kb_cycle.cycle_days
    AND running.counts_on BETWEEN kb_cycle.begndate AND kb_cycle.enddate
WHERE running.this_month
-- Of several limits in force the kindest counts
QUALIFY
    ROW_NUMBER() OVER (
        PARTITION BY running.setl_id, running.bkkp_sn
        ORDER BY running.observed - kb_cycle.max_cnt, kb_cycle.cycle_days
    ) = 1
    AND running.observed > kb_cycle.max_cnt
