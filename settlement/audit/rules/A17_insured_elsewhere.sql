-- id             = "A17"
-- name           = "异地混入本地"
-- name_en        = "person insured elsewhere claimed as local"
-- purpose        = "参保地不在本统筹区的结算列入本地申报"
-- purpose_en     = "the settlement of a person insured in another pool is claimed as a local one"
-- national_ref   = ""
-- category       = "management"
-- grade          = "违规"
-- status         = "active"
-- scope          = ["hospital", "outpatient", "pharmacy"]
-- dated_by       = "setl_time"
-- reads          = ["settlement", "pool_area"]
-- deduction      = "DS"
-- effective_from = 2021-05-01
-- message        = "参保所属医保区划 {area} 在 {day} 不属于本统筹区,应列入异地批次"
-- message_en     = "insured area {area} did not belong to this pool on {day}; belongs to the batch of other pools"
--
-- [[basis]]
-- source  = "cat-2026"
-- article = "A17"
--
-- [[basis]]
-- source  = "remote-2022"
-- article = "跨省异地就医费用由就医地与参保地清算"
--
-- [limits]
-- misses = "没有参保所属医保区划的结算;区划填写有误的由复审核实"

-- Few areas and days: each is looked up once, not for every settlement.
WITH elsewhere AS (
    SELECT asked.insu_admdvs, asked.sd
    FROM (SELECT DISTINCT insu_admdvs, sd FROM settlement) AS asked
    INNER JOIN pool_area AS a
        ON asked.sd BETWEEN a.begndate AND a.enddate
    GROUP BY asked.insu_admdvs, asked.sd
    HAVING
        MAX(
            CASE
                WHEN LEFT(asked.insu_admdvs, LENGTH(a.admdvs_prefix)) = a.admdvs_prefix THEN 1
                ELSE 0
            END
        ) = 0
)

SELECT
    s.setl_id,
    NULL::VARCHAR             AS bkkp_sn,
    CAST(1 AS DECIMAL(18, 4)) AS part,
    CAST(1 AS DECIMAL(18, 4)) AS whole,
    NULL::VARCHAR             AS related,
    'area=' || s.insu_admdvs || ' day=' || CAST(s.sd AS VARCHAR) AS evidence
FROM settlement AS s
INNER JOIN elsewhere AS e
    ON s.insu_admdvs = e.insu_admdvs
    AND s.sd = e.sd
