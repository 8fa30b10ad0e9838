-- id             = "C04"
-- name           = "项目限儿童、新生儿、婴幼儿"
-- name_en        = "service limited to children, newborns or infants"
-- purpose        = "限新生儿、婴幼儿、儿童的医疗服务项目用于超过年龄的参保人"
-- purpose_en     = "a service limited to newborns, infants or children given to somebody older"
-- national_ref   = "GZ10000102005000"
-- category       = "policy"
-- grade          = "违规"
-- status         = "active"
-- scope          = ["hospital", "outpatient"]
-- dated_by       = "fee_ocur_time"
-- reads          = ["line", "kb_age"]
-- deduction      = "DL"
-- effective_from = 2021-05-01
-- message        = "限{limit}使用,参保人在 {window} 已 {age_days} 天、满 {observed} 周岁"
-- message_en     = "limited to the age group {limit}, on {window} the person was {age_days} days, {observed} full years old"
--
-- [[basis]]
-- source  = "law-735"
-- article = "第三十八条第六项"
--
-- [parameters.newborn_max_days]
-- unit    = "days"
-- meaning = "日龄大于此值不属新生儿"
--
-- [parameters.infant_max_months]
-- unit    = "months"
-- meaning = "超过满此月龄之日不属婴幼儿"
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
-- misses = "出生日期缺失的参保人;基金不付的明细;同时命中 GZ10000102006000 限儿童、GZ10000302003000 儿童专用,不另列一条"

-- A stay is judged by the age on admission, everything else by the age on the day of the charge.
WITH listed AS (
    SELECT
        line.setl_id,
        line.bkkp_sn,
        line.brdy,
        kb_age.age_group,
        CASE WHEN line.clr_type = '21' THEN line.begndate ELSE line.d END AS judged_on
    FROM line
    INNER JOIN kb_age
        ON line.hilist_code = kb_age.hilist_code
        AND line.d BETWEEN kb_age.begndate AND kb_age.enddate
        AND kb_age.part = 'item'
        AND kb_age.age_group <> '就业年龄'
    WHERE line.inscp_amt > 0
),

aged AS (
    SELECT
        setl_id,
        bkkp_sn,
        brdy,
        age_group,
        judged_on,
        DATE_DIFF('day', brdy, judged_on) AS age_days,
        -- full years: one less while this year's birthday is still to come
        YEAR(judged_on) - YEAR(brdy)
        - CASE
            WHEN MONTH(judged_on) * 100 + DAY(judged_on) < MONTH(brdy) * 100 + DAY(brdy) THEN 1
            ELSE 0
        END AS age
    FROM listed
),

-- How far each list is broken: 2 违规, 1 可疑, 0 kept
graded AS (
    SELECT
        setl_id,
        bkkp_sn,
        age_group,
        judged_on,
        age_days,
        age,
        CASE
            WHEN age_group = '新生儿' THEN CASE WHEN age_days > $newborn_max_days THEN 2 ELSE 0 END
            WHEN age_group = '婴幼儿'
                THEN CASE WHEN judged_on > brdy + INTERVAL ($infant_max_months) MONTH THEN 2 ELSE 0 END
            WHEN age >= $adult_age THEN 2
            WHEN age > $child_max_age THEN 1
            ELSE 0
        END AS broken
    FROM aged
)

-- Of several lists the kindest counts: whoever keeps one of them is no hit
SELECT
    setl_id,
    bkkp_sn,
    CAST(1 AS DECIMAL(18, 4)) AS part,
    CAST(1 AS DECIMAL(18, 4)) AS whole,
    NULL::VARCHAR             AS related,
    'limit=' || MIN(age_group)
    || ' observed=' || CAST(age AS VARCHAR)
    || ' age_days=' || CAST(age_days AS VARCHAR)
    || ' window=' || CAST(judged_on AS VARCHAR)            AS evidence,
    CASE WHEN MIN(broken) = 2 THEN '违规' ELSE '可疑' END AS grade
FROM graded
GROUP BY setl_id, bkkp_sn, judged_on, age_days, age
HAVING MIN(broken) > 0
