-- id             = "B10"
-- name           = "诊查费计费天数超过住院天数"
-- name_en        = "examination charges beyond bed days"
-- purpose        = "住院诊查费数量超过住院天数"
-- purpose_en     = "more daily examination fees charged than the stay has days"
-- national_ref   = ""
-- category       = "management"
-- grade          = "违规"
-- status         = "active"
-- scope          = ["hospital"]
-- dated_by       = "enddate"
-- reads          = ["line"]
-- deduction      = "DQ"
-- effective_from = 2021-05-01
-- message        = "诊查费共计 {observed} 天,住院 {bed_days} 天,超过上限 {limit} 天"
-- message_en     = "{observed} days of examination fees charged, stay of {bed_days}, limit {limit}"
--
-- [[basis]]
-- source  = "law-735"
-- article = "第三十八条第三项"
--
-- [parameters.exam_day_tolerance]
-- unit    = "days"
-- meaning = "允许多计的诊查天数(入院、出院日都计费的地区为 1)"
--
-- [limits]
-- misses = "一次住院分成几张结算单时逐单比较;会诊、急诊等按次计的诊查费也按其数量计入"

-- The day of admission counts, the day of discharge does not; a stay within one day is one bed day.
WITH charged AS (
    SELECT setl_id, bkkp_sn, cnt, GREATEST(1, DATE_DIFF('day', begndate, enddate)) AS bed_days
    FROM line
    WHERE med_chrgitm_type = '02'
),

excess AS (
    SELECT
        setl_id,
        bed_days,
        CAST(SUM(cnt) AS DECIMAL(18, 4)) AS observed,
        CAST(bed_days + $exam_day_tolerance AS DECIMAL(18, 4)) AS allowed
    FROM charged
    GROUP BY setl_id, bed_days
    HAVING SUM(cnt) > bed_days + $exam_day_tolerance
)

SELECT
    charged.setl_id,
    charged.bkkp_sn,
    CAST(excess.observed - excess.allowed AS DECIMAL(18, 4)) AS part,
    excess.observed                                          AS whole,
    NULL::VARCHAR                                            AS related,
    'observed=' || RTRIM(RTRIM(CAST(excess.observed AS VARCHAR), '0'), '.')
    || ' bed_days=' || CAST(excess.bed_days AS VARCHAR)
    || ' limit=' || RTRIM(RTRIM(CAST(excess.allowed AS VARCHAR), '0'), '.') AS evidence
FROM charged
INNER JOIN excess ON charged.setl_id = excess.setl_id
