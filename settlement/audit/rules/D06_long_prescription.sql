-- id             = "D06"
-- name           = "超量开药"
-- name_en        = "prescription for too many days"
-- purpose        = "一次开药的天数超过该类门诊的上限"
-- purpose_en     = "a drug given for more days than the kind of visit allows"
-- national_ref   = "GZ10000101009000"
-- category       = "policy"
-- grade          = "违规"
-- status         = "active"
-- scope          = ["outpatient", "pharmacy"]
-- dated_by       = "fee_ocur_time"
-- reads          = ["line", "settlement"]
-- deduction      = "DQ"
-- effective_from = 2021-05-01
-- message        = "开药 {observed} 天,超过上限 {limit} 天"
-- message_en     = "{observed} days of a drug, limit {limit}"
--
-- [[basis]]
-- source  = "law-735"
-- article = "第三十八条第二项"
--
-- [[basis]]
-- source  = "rx-2007"
-- article = "第十九条"
--
-- [[basis]]
-- source  = "long-rx-2021"
-- article = "长期处方的处方量"
--
-- [parameters.emergency_med_type]
-- unit    = "code"
-- meaning = "急诊医疗类别"
--
-- [parameters.chronic_med_types]
-- unit    = "code"
-- meaning = "门诊慢特病医疗类别,以 | 分隔"
--
-- [parameters.long_rx_med_types]
-- unit    = "code"
-- meaning = "长期处方医疗类别,以 | 分隔"
--
-- [parameters.rx_days_emergency]
-- unit    = "days"
-- meaning = "急诊处方天数上限"
--
-- [parameters.rx_days_plain]
-- unit    = "days"
-- meaning = "普通处方天数上限"
--
-- [parameters.rx_days_chronic]
-- unit    = "days"
-- meaning = "门诊慢特病处方天数上限"
--
-- [parameters.rx_days_long]
-- unit    = "days"
-- meaning = "长期处方天数上限"
--
-- [limits]
-- misses = "未填周期天数的明细;同一药品拆成几条或几张处方的;基金和个人账户都不付的明细"

WITH visit AS (
    SELECT
        med_type,
        CASE
            WHEN med_type = $emergency_med_type THEN $rx_days_emergency
            WHEN '|' || $long_rx_med_types || '|' LIKE '%|' || med_type || '|%' THEN $rx_days_long
            WHEN '|' || $chronic_med_types || '|' LIKE '%|' || med_type || '|%' THEN $rx_days_chronic
            ELSE $rx_days_plain
        END AS max_days
    FROM settlement
    GROUP BY med_type
)

SELECT
    line.setl_id,
    line.bkkp_sn,
    CAST(line.prd_days - visit.max_days AS DECIMAL(18, 4)) AS part,
    CAST(line.prd_days AS DECIMAL(18, 4))                  AS whole,
    NULL::VARCHAR                                          AS related,
    'observed=' || RTRIM(RTRIM(CAST(line.prd_days AS VARCHAR), '0'), '.')
    || ' limit=' || CAST(visit.max_days AS VARCHAR) AS evidence
FROM line
INNER JOIN visit ON line.med_type = visit.med_type
WHERE
    line.list_type LIKE '1%'
    AND line.prd_days > visit.max_days
    -- said apart, because most lines have none and are then not joined
    AND line.prd_days IS NOT NULL
    AND (line.inscp_amt > 0 OR line.clr_type = '41' AND line.acct_pay > 0)
