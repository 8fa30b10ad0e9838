-- id             = "D12"
-- name           = "出院带药超量"
-- name_en        = "too many take-home drugs"
-- purpose        = "出院带药的天数或种数超过上限"
-- purpose_en     = "drugs taken home on discharge for more days or of more kinds than allowed"
-- national_ref   = ""
-- category       = "management"
-- grade          = "违规"
-- status         = "active"
-- scope          = ["hospital"]
-- dated_by       = "fee_ocur_time"
-- reads          = ["line"]
-- deduction      = "DQ"
-- effective_from = 2021-05-01
-- message        = "出院带药 {supply} 天(上限 {limit} 天),为第 {place} 种(上限 {kinds} 种)"
-- message_en     = "take-home drug for {supply} days (limit {limit}), kind {place} (limit {kinds})"
--
-- [[basis]]
-- source  = "law-735"
-- article = "第三十八条第二项"
--
-- [parameters.take_home_days_acute]
-- unit    = "days"
-- meaning = "没有病种编号的住院带药天数上限"
--
-- [parameters.take_home_days_chronic]
-- unit    = "days"
-- meaning = "有病种编号(慢性病)的住院带药天数上限"
--
-- [parameters.take_home_kinds_max]
-- unit    = "count"
-- meaning = "一次住院带药种数上限"
--
-- [limits]
-- misses = "未标出院带药的明细;未填周期天数的只查种数;一次住院分几张结算单时逐单计数"

WITH taken AS (
    SELECT
        setl_id, bkkp_sn, hilist_code, fee_ocur_time, prd_days,
        CASE WHEN dise_no IS NULL THEN $take_home_days_acute ELSE $take_home_days_chronic END AS max_days
    FROM line
    WHERE dscg_tkdrug_flag = '1' AND list_type LIKE '1%'
),

first AS (
    SELECT
        setl_id, hilist_code, bkkp_sn, fee_ocur_time,
        ROW_NUMBER() OVER (PARTITION BY setl_id, hilist_code ORDER BY fee_ocur_time, bkkp_sn) AS place
    FROM taken
),

kind AS (
    SELECT
        setl_id, hilist_code,
        ROW_NUMBER() OVER (PARTITION BY setl_id ORDER BY fee_ocur_time, bkkp_sn) AS place
    FROM first
    WHERE place = 1
),

hit AS (
    SELECT
        taken.setl_id, taken.bkkp_sn, taken.prd_days, taken.max_days, kind.place,
        kind.place > $take_home_kinds_max AS whole_line
    FROM taken
    INNER JOIN kind ON taken.setl_id = kind.setl_id AND taken.hilist_code = kind.hilist_code
    WHERE taken.prd_days > taken.max_days OR kind.place > $take_home_kinds_max
)

SELECT
    setl_id,
    bkkp_sn,
    CAST(CASE WHEN whole_line THEN 1 ELSE prd_days - max_days END AS DECIMAL(18, 4)) AS part,
    CAST(CASE WHEN whole_line THEN 1 ELSE prd_days END AS DECIMAL(18, 4))            AS whole,
    NULL::VARCHAR                                                                    AS related,
    'supply=' || COALESCE(RTRIM(RTRIM(CAST(prd_days AS VARCHAR), '0'), '.'), '-')
    || ' limit=' || CAST(max_days AS VARCHAR)
    || ' place=' || CAST(place AS VARCHAR)
    || ' kinds=' || CAST($take_home_kinds_max AS VARCHAR) AS evidence
FROM hit
