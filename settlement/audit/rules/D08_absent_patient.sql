-- id             = "D08"
-- name           = "挂床"
-- name_en        = "stay without treatment"
-- purpose        = "住院期间连续几天只有床位、护理、诊查、取暖、空调费,没有诊疗"
-- purpose_en     = "days on end of a stay with nothing charged but bed, nursing, examination, heating or cooling"
-- national_ref   = ""
-- category       = "management"
-- grade          = "可疑"
-- status         = "active"
-- scope          = ["hospital"]
-- dated_by       = "enddate"
-- reads          = ["line"]
-- deduction      = "DS"
-- effective_from = 2021-05-01
-- message        = "{began} 至 {ended} 连续 {observed} 天没有诊疗费用(达到 {limit} 天即列),住院 {bed_days} 天"
-- message_en     = "no treatment charged from {began} to {ended}, {observed} days (listed from {limit}) of a stay of {bed_days}"
--
-- [[basis]]
-- source  = "law-735"
-- article = "第三十八条第一项"
--
-- [parameters.idle_min_bed_days]
-- unit    = "days"
-- meaning = "住院天数达到此值才判断"
--
-- [parameters.idle_run_days]
-- unit    = "days"
-- meaning = "连续无诊疗达到此天数即列"
--
-- [limits]
-- misses = "没有任何明细的住院;费用不按实际发生日记账的;取暖、空调费只按名称识别;出院日不算住院日"

WITH day AS (
    SELECT
        setl_id, begndate, enddate, d,
        MAX(
            CASE
                WHEN med_chrgitm_type IN ('01', '02', '07') THEN 0
                WHEN hilist_name LIKE '%取暖%' OR hilist_name LIKE '%空调%' THEN 0
                ELSE 1
            END
        ) AS treated
    FROM line
    WHERE DATE_DIFF('day', begndate, enddate) >= $idle_min_bed_days
    GROUP BY setl_id, begndate, enddate, d
),

stay AS (
    SELECT setl_id, begndate, enddate, MAX(treated) AS treated
    FROM day
    GROUP BY setl_id, begndate, enddate
),

-- Days with treatment, and the eve of the stay: what lies between two of them, or the last and the day
-- of discharge, is idle.
mark AS (
    SELECT setl_id, enddate, d
    FROM day
    WHERE treated = 1 AND d >= begndate AND d < enddate
    UNION ALL
    SELECT setl_id, enddate, CAST(begndate - INTERVAL 1 DAY AS DATE)
    FROM stay
    WHERE treated = 1
),

gap AS (
    SELECT setl_id, d AS after, LEAD(d, 1, enddate) OVER (PARTITION BY setl_id ORDER BY d) AS until
    FROM mark
),

hit AS (
    SELECT
        line.setl_id, line.bkkp_sn, line.begndate, line.enddate, gap.after, gap.until,
        $idle_run_days AS limit_days
    FROM line
    INNER JOIN gap ON line.setl_id = gap.setl_id AND line.d > gap.after AND line.d < gap.until
    WHERE DATE_DIFF('day', gap.after, gap.until) > $idle_run_days
    UNION ALL
    SELECT
        setl_id, NULL, begndate, enddate, CAST(begndate - INTERVAL 1 DAY AS DATE), enddate,
        $idle_min_bed_days
    FROM stay
    WHERE treated = 0
)

SELECT
    setl_id,
    bkkp_sn,
    CAST(1 AS DECIMAL(18, 4)) AS part,
    CAST(1 AS DECIMAL(18, 4)) AS whole,
    NULL::VARCHAR             AS related,
    'began=' || CAST(CAST(after + INTERVAL 1 DAY AS DATE) AS VARCHAR)
    || ' ended=' || CAST(CAST(until - INTERVAL 1 DAY AS DATE) AS VARCHAR)
    || ' observed=' || CAST(DATE_DIFF('day', after, until) - 1 AS VARCHAR)
    || ' limit=' || CAST(limit_days AS VARCHAR)
    || ' bed_days=' || CAST(DATE_DIFF('day', begndate, enddate) AS VARCHAR) AS evidence
FROM hit
