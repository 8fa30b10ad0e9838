-- id             = "C03"
-- name           = "药品限儿童"
-- name_en        = "drug limited to children"
-- purpose        = "限儿童的药品用于超过年龄的参保人"
-- purpose_en     = "a drug limited to children given to somebody older"
-- national_ref   = "GZ10000101007000"
-- category       = "policy"
-- grade          = "违规"
-- status         = "active"
-- scope          = ["hospital", "outpatient", "pharmacy"]
-- dated_by       = "fee_ocur_time"
-- reads          = ["line", "kb_age"]
-- deduction      = "DL"
-- effective_from = 2021-05-01
-- message        = "限儿童使用,参保人在 {window} 已满 {observed} 周岁(儿童上限 {limit} 周岁)"
-- message_en     = "limited to children, the person was {observed} years old on {window} (limit {limit})"
--
-- [[basis]]
-- source  = "law-735"
-- article = "第三十八条第六项"
--
-- [parameters.child_max_age]
-- unit    = "years"
-- meaning = "周岁大于此值列为可疑"
--
-- [parameters.adult_age]
-- unit    = "years"
-- meaning = "周岁达到此值列为违规"
--
-- [limits]
-- misses = "出生日期缺失的参保人;基金不付的明细;同时命中医疗类规则 GZ10000301002000 儿童专用,不另列一条"

-- A stay is judged by the age on admission, everything else by the age on the day of the charge.
WITH listed AS (
    SELECT
        line.setl_id,
        line.bkkp_sn,
        line.brdy,
        CASE WHEN line.clr_type = '21' THEN line.begndate ELSE line.d END AS judged_on
    FROM line
    INNER JOIN kb_age
        ON line.hilist_code = kb_age.hilist_code
        AND line.d BETWEEN kb_age.begndate AND kb_age.enddate
    WHERE
        kb_age.part = 'drug'
        AND kb_age.age_group = '儿童'
        AND line.inscp_amt > 0
),

aged AS (
    SELECT
        setl_id,
        bkkp_sn,
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
    || ' limit=' || CAST($child_max_age AS VARCHAR)
    || ' window=' || CAST(judged_on AS VARCHAR) AS evidence,
    CASE WHEN age >= $adult_age THEN '违规' ELSE '可疑' END AS grade
FROM aged
WHERE age > $child_max_age OR age >= $adult_age
GROUP BY setl_id, bkkp_sn, age, judged_on
