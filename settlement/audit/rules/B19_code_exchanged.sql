-- id             = "B19"
-- name           = "串换"
-- name_en        = "charged under another code"
-- purpose        = "机构目录项目没有登记对照,或以登记以外的医保编码、无关的名称收取"
-- purpose_en     = "an institution's item charged without, or against, its registered national code or name"
-- national_ref   = ""
-- category       = "management"
-- grade          = "可疑"
-- status         = "active"
-- scope          = ["hospital", "outpatient", "pharmacy"]
-- dated_by       = "fee_ocur_time"
-- reads          = ["line", "catalogue_map"]
-- uses           = ["institution", "price_limit"]
-- deduction      = "DP"
-- effective_from = 2021-05-01
-- message        = "该机构项目当日登记对照 {registered} 个医保编码,所收编码在其中(1 是,0 否):{same_code},名称无共同字样(1 是,0 否):{unlike_name};单价 {price},登记编码限价 {limit}"
-- message_en     = "{registered} national codes registered for the item that day, the one charged among them (1 yes, 0 no): {same_code}, names without a common run (1 yes, 0 no): {unlike_name}; price {price}, limit of the registered codes {limit}"
--
-- [[basis]]
-- source  = "law-735"
-- article = "第三十八条第四项"
--
-- [limits]
-- misses = "没有报送机构目录编码的明细、从未登记对照的机构;登记本身有误的;名称有两字相连相同的串换;别名、商品名与医保名称无共同字样的会误列,由申诉说明"

-- A month of lines is a short list of ways to charge: only lines of doubtful ways are looked at singly
WITH mapped AS (
    SELECT DISTINCT fixmedins_code FROM catalogue_map
),

used AS (
    SELECT
        fixmedins_code, medins_list_codg, hilist_code, medins_list_name, hilist_name,
        MIN(d) AS first_day, MAX(d) AS last_day
    FROM line
    WHERE fixmedins_code IN (SELECT fixmedins_code FROM mapped)
    GROUP BY fixmedins_code, medins_list_codg, hilist_code, medins_list_name, hilist_name
),

unlike AS (
    SELECT named.medins_list_name, named.hilist_name
    FROM (
        -- Spaces are left out, also the wide one (12288) of Chinese text
        SELECT DISTINCT
            medins_list_name, hilist_name,
            REPLACE(REPLACE(medins_list_name, ' ', ''), CHR(12288), '') AS own_name,
            REPLACE(REPLACE(hilist_name, ' ', ''), CHR(12288), '')      AS list_name
        FROM used
    ) AS named
    -- A name has at most 200 characters
    INNER JOIN RANGE(1, 200) AS place (n) ON place.n < LENGTH(named.own_name)
    WHERE LENGTH(named.list_name) >= 2
    GROUP BY named.medins_list_name, named.hilist_name
    HAVING MAX(STRPOS(named.list_name, SUBSTR(named.own_name, place.n, 2))) = 0
),

doubtful AS (
    SELECT DISTINCT used.fixmedins_code, used.medins_list_codg, used.hilist_code
    FROM used
    LEFT JOIN catalogue_map
        ON used.fixmedins_code = catalogue_map.fixmedins_code
        AND used.medins_list_codg = catalogue_map.medins_list_codg
        AND used.hilist_code = catalogue_map.hilist_code
        AND used.first_day >= catalogue_map.begndate
        AND used.last_day <= catalogue_map.enddate
    LEFT JOIN unlike USING (medins_list_name, hilist_name)
    WHERE catalogue_map.hilist_code IS NULL OR unlike.hilist_name IS NOT NULL
),

-- Materialized: the few lines in question first, and only then what is said about them
asked AS MATERIALIZED (
    SELECT
        line.setl_id, line.bkkp_sn, line.fixmedins_code, line.medins_list_codg, line.medins_list_name,
        line.hilist_code, line.hilist_name, line.d, line.pric, line.cnt, line.inscp_amt
    FROM line
    INNER JOIN doubtful USING (fixmedins_code, medins_list_codg, hilist_code)
    WHERE line.inscp_amt > 0 AND line.medins_list_codg IN (SELECT medins_list_codg FROM doubtful)
),

-- Of the limits of all codes registered on the day the highest counts
compared AS (
    SELECT
        line.setl_id, line.bkkp_sn, line.pric, line.cnt, line.inscp_amt,
        COUNT(DISTINCT catalogue_map.hilist_code)                                     AS registered,
        MAX(CASE WHEN catalogue_map.hilist_code = line.hilist_code THEN 1 ELSE 0 END) AS same_code,
        unlike.hilist_name IS NOT NULL                                                AS unlike_name,
        COALESCE(MAX(price_limit.hilist_pric_uplmt_amt), 0)                           AS cap
    FROM asked AS line
    LEFT JOIN unlike USING (medins_list_name, hilist_name)
    LEFT JOIN catalogue_map
        ON line.fixmedins_code = catalogue_map.fixmedins_code
        AND line.medins_list_codg = catalogue_map.medins_list_codg
        AND line.d BETWEEN catalogue_map.begndate AND catalogue_map.enddate
    LEFT JOIN institution
        ON line.fixmedins_code = institution.fixmedins_code
        AND line.d BETWEEN institution.begndate AND institution.enddate
    LEFT JOIN price_limit
        ON catalogue_map.hilist_code = price_limit.hilist_code
        AND institution.lmtpric_hosp_lv = price_limit.hilist_lmtpric_type
        AND line.d BETWEEN price_limit.begndate AND price_limit.enddate
    GROUP BY line.setl_id, line.bkkp_sn, line.pric, line.cnt, line.inscp_amt, unlike.hilist_name
)

SELECT
    setl_id,
    bkkp_sn,
    CAST(
        CASE
            WHEN same_code = 1 OR cap = 0 THEN 1
            -- DECIMAL(20,6): two 64-bit decimals would be multiplied in 64 bits and overflow
            ELSE GREATEST(0, CAST(pric - cap AS DECIMAL(20, 6)) * cnt)
        END AS DECIMAL(18, 4)
    ) AS part,
    CAST(CASE WHEN same_code = 1 OR cap = 0 THEN 1 ELSE inscp_amt END AS DECIMAL(18, 4)) AS whole,
    NULL::VARCHAR AS related,
    'registered=' || CAST(registered AS VARCHAR) || ' same_code=' || CAST(same_code AS VARCHAR)
    || ' unlike_name=' || CASE WHEN unlike_name THEN '1' ELSE '0' END
    || ' price=' || RTRIM(RTRIM(CAST(pric AS VARCHAR), '0'), '.')
    || ' limit=' || RTRIM(RTRIM(CAST(cap AS VARCHAR), '0'), '.') AS evidence
FROM compared
WHERE same_code = 0 OR unlike_name
