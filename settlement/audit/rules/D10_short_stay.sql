-- id             = "D10"
-- name           = "体检式短住院"
-- name_en        = "short stay as a check-up"
-- purpose        = "住院天数很短,没有手术,也不是转院或死亡"
-- purpose_en     = "a very short stay without operation that did not end in transfer or death"
-- national_ref   = ""
-- category       = "management"
-- grade          = "可疑"
-- status         = "active"
-- scope          = ["hospital"]
-- dated_by       = "enddate"
-- reads          = ["settlement", "line", "operation"]
-- deduction      = "D0"
-- effective_from = 2021-05-01
-- message        = "{began} 至 {ended} 住院 {observed} 天(不超过 {limit} 天),没有手术"
-- message_en     = "a stay of {observed} days from {began} to {ended} (limit {limit}) without operation"
--
-- [[basis]]
-- source  = "law-735"
-- article = "第三十八条第二项"
--
-- [parameters.short_stay_days]
-- unit    = "days"
-- meaning = "住院天数不超过此值"
--
-- [parameters.transfer_ways]
-- unit    = "code"
-- meaning = "视为转诊的离院方式,以 | 分隔"
--
-- [limits]
-- misses = "没有手术信息的地区不运行;日间病房等本来就短的住院,由复审撤销"

WITH short AS (
    SELECT setl_id, begndate, enddate, GREATEST(1, DATE_DIFF('day', begndate, enddate)) AS bed_days
    FROM settlement
    WHERE
        enddate >= begndate
        AND (
            dscg_way IS NULL
            OR dscg_way <> '5' AND '|' || $transfer_ways || '|' NOT LIKE '%|' || dscg_way || '|%'
        )
)

SELECT
    setl_id,
    NULL::VARCHAR             AS bkkp_sn,
    CAST(1 AS DECIMAL(18, 4)) AS part,
    CAST(1 AS DECIMAL(18, 4)) AS whole,
    NULL::VARCHAR             AS related,
    'began=' || CAST(begndate AS VARCHAR) || ' ended=' || CAST(enddate AS VARCHAR)
    || ' observed=' || CAST(bed_days AS VARCHAR) || ' limit=' || CAST($short_stay_days AS VARCHAR) AS evidence
FROM short
WHERE
    bed_days <= $short_stay_days
    AND setl_id NOT IN (SELECT setl_id FROM operation)
    AND setl_id NOT IN (SELECT setl_id FROM line WHERE med_chrgitm_type = '06')
