-- id             = "C17"
-- name           = "项目限年龄"
-- name_en        = "service limited to working age"
-- purpose        = "限法定就业年龄的项目用于未到或超过就业年龄的参保人"
-- purpose_en     = "a service limited to working age given to somebody younger or older"
-- national_ref   = ""
-- category       = "policy"
-- grade          = "违规"
-- status         = "active"
-- scope          = ["hospital", "outpatient"]
-- dated_by       = "fee_ocur_time"
-- reads          = ["line", "kb_age"]
-- deduction      = "DL"
-- effective_from = 2021-05-01
-- message        = "限就业年龄({lowest} 至 {highest} 周岁)使用,参保人在 {window} 为 {observed} 周岁"
-- message_en     = "limited to working age ({lowest} to {highest}), the person was {observed} years old on {window}"
--
-- [[basis]]
-- source  = "law-735"
-- article = "第三十八条第六项"
--
-- [parameters.working_age_min]
-- unit    = "years"
-- meaning = "周岁小于此值列为违规"
--
-- [parameters.working_age_max_male]
-- unit    = "years"
-- meaning = "男,周岁大于此值列为违规"
--
-- [parameters.working_age_max_female]
-- unit    = "years"
-- meaning = "女,周岁大于此值列为违规"
--
-- [limits]
-- misses = "出生日期缺失的参保人;基金不付的明细;延迟退休逐月过渡期按上限从宽,已退休而未到上限的不命中"

-- A stay is judged by the age on admission, everything else by the age on the day of the charge.
WITH listed AS (
    SELECT
        line.setl_id,
        line.bkkp_sn,
        line.brdy,
        CASE line.gend
            WHEN '1' THEN $working_age_max_male
            WHEN '2' THEN $working_age_max_female
            ELSE GREATEST($working_age_max_male, $working_age_max_female)
        END                                                               AS highest,
        CASE WHEN line.clr_type = '21' THEN line.begndate ELSE line.d END AS judged_on
    FROM line
    INNER JOIN kb_age
        ON line.hilist_code = kb_age.hilist_code
        AND line.d BETWEEN kb_age.begndate AND kb_age.enddate
        AND kb_age.part = 'item'
        AND kb_age.age_group = '就业年龄'
    WHERE line.inscp_amt > 0
),

aged AS (
    SELECT
        setl_id,
        bkkp_sn,
        highest,
        judged_on,
        -- full years: one less while this year's birthday is still to come
        YEAR(judged_on) - YEAR(brdy)
        - CASE
            WHEN MONTH(judged_on) * 100 + DAY(judged_on) < MONTH(brdy) * 100 + DAY(brdy) THEN 1
            ELSE 0
        END AS age
    FROM listed
)

SELECT
    setl_id,
    bkkp_sn,
    CAST(1 AS DECIMAL(18, 4)) AS part,
    CAST(1 AS DECIMAL(18, 4)) AS whole,
    NULL::VARCHAR             AS related,
    'observed=' || CAST(age AS VARCHAR)
    || ' lowest=' || CAST($working_age_min AS VARCHAR)
    || ' highest=' || CAST(highest AS VARCHAR)
    || ' window=' || CAST(judged_on AS VARCHAR) AS evidence
FROM aged
WHERE age < $working_age_min OR age > highest
GROUP BY setl_id, bkkp_sn, age, highest, judged_on
