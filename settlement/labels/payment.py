"""Orders to the bank and what the bank returns."""

WORDS: dict[str, tuple[str, str]] = {
    "bank.and": ("、", ", "),
    "bank.no": ("序号", "No."),
    "bank.file": ("文件", "file"),
    "bank.payer_acct": ("付款账号", "paying account"),
    "bank.payer_name": ("付款户名", "paying account name"),
    "bank.orders": ("笔数", "orders"),
    "bank.file_sum": ("合计", "sum"),
    "bank.sha256": ("文件校验(SHA-256)", "SHA-256"),
    "bank.remark": ("说明", "remark"),
    "bank.paid": ("成功", "paid"),
    "bank.failed": ("失败", "failed"),
    "bank.acct_shared": (
        "收款账号 {acct} 由 {many} 家机构共用(如 {who})。请核对机构名录,由另一人确认后再拨付。",
        "Account {acct} is shared by {many} institutions (such as {who}). Check the list of institutions; "
        "a second person must confirm it before anything is paid.",
    ),
    "bank.acct_changed": (
        "收款账号现为 {acct},与上次拨付的 {before} 不同。请核对变更凭据,由另一人确认后再拨付。",
        "The account is now {acct}, the last payment went to {before}. Check the papers of the change; "
        "a second person must confirm it before anything is paid.",
    ),
    "bank.acct_missing": (
        "收款账户不完整:{what}。请在机构名录补齐后重新载入,补齐前不拨付。",
        "The account is incomplete: {what}. Complete the list of institutions and load it again; nothing is "
        "paid until then.",
    ),
    "bank.no_bankacct": ("缺收款账号", "no account number"),
    "bank.no_acctname": ("缺收款户名", "no payee"),
    "bank.no_bank_name": ("缺开户行", "no bank"),
    "bank.no_bankcode": ("缺联行号", "no bank code"),
    "bank.odd_bankcode": ("联行号“{code}”不是 12 位数字", "bank code {code} is not 12 digits"),
    "bank.no_payer": (
        "基金 {fund} 没有付款账户:付款账号留空。请在 fund_account.csv 登记后重新生成,或由财务填写。",
        "Fund {fund} has no paying account, so the column is empty. Enter it in fund_account.csv and make "
        "the file again, or fill it in.",
    ),
    "bank.unreadable": (
        "回单 {name} 无法读取:须为 CSV(UTF-8 或 GB18030)或 xlsx。请向银行重新下载。",
        "Return file {name} cannot be read: it must be CSV (UTF-8 or GB18030) or xlsx. Fetch it again.",
    ),
    "bank.too_large": ("回单 {name} 超过 64 MB,未读取。", "Return file {name} is larger than 64 MB."),
    "bank.no_header": (
        "回单 {name} 前 20 行中没有含“业务号”的表头。请保留银行给出的表头。",
        "Return file {name} has no header with 业务号 in its first 20 lines. Keep the bank's header.",
    ),
    "bank.no_result": (
        "回单 {name} 的表头没有“结果”列。请向银行下载含交易结果的回单。",
        "Return file {name} has no column 结果 (result). Fetch the one with results.",
    ),
    "bank.bad_business_no": ("第 {row} 行没有业务号。", "Row {row} has no business number."),
    "bank.bad_result": (
        "第 {row} 行的结果“{value}”不能判定成功或失败(可识别:成功、失败、success、failed、00 等)。"
        "请待银行处理完毕后重新下载。",
        "Row {row}: result {value} says neither paid nor failed (known: 成功, 失败, success, failed, "
        "00 ...). Wait until the bank is done and fetch the file again.",
    ),
    "bank.bad_reason": ("第 {row} 行的失败原因无法读取。", "Row {row}: the reason cannot be read."),
    "bank.bad_trade_time": (
        "第 {row} 行的交易时间“{value}”无法读取,应如 2026-05-20 10:30:00。",
        "Row {row}: time {value} cannot be read; it should look like 2026-05-20 10:30:00.",
    ),
    "bank.bad_amount": (
        "第 {row} 行的金额“{value}”无法读取,应为两位小数的元。",
        "Row {row}: amount {value} cannot be read; it should be yuan with two decimals.",
    ),
    "bank.row_paid": ("第 {row} 行:{business_no} 拨付成功。", "Row {row}: {business_no} is paid."),
    "bank.row_failed": (
        "第 {row} 行:{business_no} 拨付失败({reason})。改正后可再次拨付。",
        "Row {row}: {business_no} failed ({reason}). Mend it and pay again.",
    ),
    "bank.row_unknown": (
        "第 {row} 行:没有业务号为 {business_no} 的拨付指令。请核对回单是否属于本统筹区。",
        "Row {row}: there is no order {business_no}. Check that the file belongs to this region.",
    ),
    "bank.row_repeated": (
        "第 {row} 行:{business_no} 的结果({result})已有登记,不重复登记。",
        "Row {row}: the result of {business_no} ({result}) is known; nothing is recorded again.",
    ),
    "bank.row_amount": (
        "第 {row} 行:{business_no} 的金额为 {amount} 元,指令为 {order_amount} 元。未登记,请与银行核实。",
        "Row {row}: {business_no} is over {amount} yuan, the order was {order_amount}. Not recorded; "
        "ask the bank.",
    ),
    "bank.row_split": (
        "第 {row} 行:{business_no} 在同一回单中的各行不一致(本行:{result})。均未登记,请与银行核实。",
        "Row {row}: the rows of {business_no} in this file disagree (this one: {result}). None is recorded; "
        "ask the bank.",
    ),
    "bank.row_conflicting": (
        "第 {row} 行:{business_no} 已登记为{recorded},回单为{result}。未登记,请与银行核实。",
        "Row {row}: {business_no} is recorded as {recorded}, this file says {result}. Not recorded; "
        "ask the bank.",
    ),
}
