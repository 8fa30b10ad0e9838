"""Steps of the payment, ledgers and their entries."""

WORDS: dict[str, tuple[str, str]] = {
    # from claimed to paid
    "step.claimed": ("申报基金额", "Claimed"),
    "step.final": ("减:审核扣款", "less: deducted by audit"),
    "step.allowed": ("= 审定额", "= Allowed"),
    "step.method": ("加减:支付方式调整", "plus/minus: payment method"),
    "step.deferred": ("减:超定额暂缓", "less: deferred above quota"),
    "step.deposit": ("减:质量保证金", "less: quality deposit"),
    "step.advance": ("减:预拨、周转金与直接结算抵扣", "less: advances and direct payments"),
    "step.prior": ("加减:往期调整", "plus/minus: prior periods"),
    "step.clawback": ("减:往期追回", "less: clawed back"),
    "step.net": ("= 应拨净额", "= Net"),
    "step.paid": ("本期实拨", "PAID"),
    "step.carry": ("不足部分结转下期抵扣", "shortfall carried to next month"),
    "step.held": ("应拨未拨(暂停)", "DUE, ON HOLD"),
    # payment methods
    "method.by_item": ("按项目", "by item"),
    # sides of a voucher
    "side.debit": ("借", "debit"),
    "side.credit": ("贷", "credit"),
    # ledgers
    "book.deposit": ("质量保证金余额", "quality deposit held"),
    "book.advance": ("周转金余额", "advance outstanding"),
    "book.carry": ("结转待追回余额", "carried, to be clawed back"),
    "book.prior": ("往期调整余额", "prior-period adjustments"),
    "book.deferred": ("暂缓额余额", "deferred above quota"),
    # what is booked
    "kind.withheld": ("预留", "withheld"),
    "kind.returned": ("清退", "returned"),
    "kind.kept": ("考核扣留", "kept by assessment"),
    "kind.granted": ("预付", "granted"),
    "kind.offset": ("抵扣", "offset"),
    "kind.carried": ("结转下期", "carried forward"),
    "kind.clawed_back": ("追回", "clawed back"),
    "kind.confirmed": ("确认调整", "adjustment confirmed"),
    "kind.settled": ("随月结算结清", "settled with the month"),
    "kind.deferred": ("超额暂缓", "deferred above quota"),
    "kind.released": ("清算释放", "released at clearing"),
    # faults of a ledger
    "ledger.sum": (
        "{fixmedins_code} {fund_pay_type} {book} 第 {seq} 笔:期初 {opening_amt} + 增 {plus_amt} "
        "− 减 {minus_amt} ≠ 期末 {closing_amt}",
        "{fixmedins_code} {fund_pay_type} {book} entry {seq}: opening {opening_amt} + {plus_amt} "
        "- {minus_amt} is not closing {closing_amt}",
    ),
    "ledger.opening": (
        "{fixmedins_code} {fund_pay_type} {book} 第 {seq} 笔:期初 {opening_amt} ≠ 上一笔期末 {before}",
        "{fixmedins_code} {fund_pay_type} {book} entry {seq}: opening {opening_amt} is not the closing "
        "{before} before it",
    ),
    "ledger.gap": (
        "{fixmedins_code} {fund_pay_type} {book} 第 {seq} 笔:前一笔是第 {seq_before} 笔,次序不连续",
        "{fixmedins_code} {fund_pay_type} {book} entry {seq}: the one before is {seq_before}",
    ),
    "ledger.negative": (
        "{fixmedins_code} {fund_pay_type} {book} 第 {seq} 笔:增 {plus_amt}、减 {minus_amt} 不得为负",
        "{fixmedins_code} {fund_pay_type} {book} entry {seq}: plus {plus_amt} or minus {minus_amt} "
        "is below zero",
    ),
    "ledger.below": (
        "{fixmedins_code} {fund_pay_type} {book} 第 {seq} 笔:期末 {closing_amt} 低于零",
        "{fixmedins_code} {fund_pay_type} {book} entry {seq}: closing {closing_amt} is below zero",
    ),
    # funds, in a few words
    "fund_short.310100": ("职工统筹", "employees' pooled"),
    "fund_short.390100": ("居民统筹", "residents' pooled"),
    "fund_short.340100": ("离休", "retired cadres"),
    "fund_short.320100": ("公务员补助", "civil servants"),
    "fund_short.330100": ("职工大额", "large cost"),
    "fund_short.350100": ("残疾军人", "disabled servicemen"),
    "fund_short.370100": ("企业补充", "enterprise supplement"),
    "fund_short.390200": ("居民大病", "residents' serious illness"),
    "fund_short.610100": ("医疗救助", "medical assistance"),
    "fund_short.999997": ("其他基金", "other funds"),
    "fund_short.310200": ("个人账户", "personal accounts"),
}
