-- id             = "B13"
-- name           = "完全重复行"
-- name_en        = "identical lines"
-- purpose        = "同一就诊中项目、时间、数量、单价、医嘱都相同的明细不止一条"
-- purpose_en     = "lines of a visit equal in item, time, quantity, price and order"
-- national_ref   = ""
-- category       = "management"
-- grade          = "可疑"
-- status         = "active"
-- scope          = ["hospital", "outpatient"]
-- dated_by       = "fee_ocur_time"
-- reads          = ["line"]
-- deduction      = "DL"
-- effective_from = 2021-05-01
-- message        = "与首条 {first} 完全相同,{window} 共有 {observed} 条"
-- message_en     = "identical with line {first}, {observed} of them on {window}"
--
-- [[basis]]
-- source  = "law-735"
-- article = "第三十八条第三项"
--
-- [limits]
-- misses = "时间、数量或医嘱号稍有改动的重复;没有时刻的费用时间按零点比较,确为同日多次的由申诉说明"

-- Most lines are alone in a few columns already: only the others are compared in all
WITH crowded AS (
    SELECT mdtrt_key, hilist_key, DATE_TRUNC('minute', fee_ocur_time) AS at_minute
    FROM line
    GROUP BY mdtrt_key, hilist_key, DATE_TRUNC('minute', fee_ocur_time)
    HAVING COUNT(*) > 1
),

compared AS (
    SELECT
        line.setl_id,
        line.bkkp_sn,
        line.d,
        FIRST_VALUE(line.setl_id) OVER equal_line AS first_setl_id,
        FIRST_VALUE(line.bkkp_sn) OVER equal_line AS first_bkkp_sn,
        ROW_NUMBER() OVER equal_line              AS place,
        COUNT(*) OVER (
            PARTITION BY
                line.mdtrt_id, line.psn_no, line.hilist_code, crowded.at_minute,
                line.cnt, line.pric, line.rx_drord_no
        ) AS observed
    FROM line
    INNER JOIN crowded
        ON line.mdtrt_key = crowded.mdtrt_key
        AND line.hilist_key = crowded.hilist_key
        AND DATE_TRUNC('minute', line.fee_ocur_time) = crowded.at_minute
    WINDOW equal_line AS (
        PARTITION BY
            line.mdtrt_id, line.psn_no, line.hilist_code, crowded.at_minute,
            line.cnt, line.pric, line.rx_drord_no
        ORDER BY line.fee_ocur_time, line.bkkp_sn, line.setl_id
    )
)

SELECT
    setl_id,
    bkkp_sn,
    CAST(1 AS DECIMAL(18, 4))             AS part,
    CAST(1 AS DECIMAL(18, 4))             AS whole,
    first_setl_id || '/' || first_bkkp_sn AS related,
    'first=' || first_setl_id || '/' || first_bkkp_sn
    || ' observed=' || CAST(observed AS VARCHAR)
    || ' window=' || CAST(d AS VARCHAR) AS evidence
FROM compared
WHERE place > 1
