mod real_logs;
use dealcast::backtest::Baseline;
use real_logs::CASES;
fn main() -> real_logs::Outcome<()> {
    for case in CASES {
        let log = case.read(std::path::Path::new("/work/shared/data"))?;
        let b = case.backtest(&log)?;
        for base in Baseline::all(log.process()) {
            let t = std::time::Instant::now();
            let r = b.run(&base)?;
            let (m, d) = (r.money().unwrap(), r.deals().unwrap());
            println!(
                "{:11} {:22} nCRPS {:.3} WAPE {:.3} bias {:+.3} cov {:.2}/{:.2}/{:.2} w {:.2} N {:.3} Brier {:.3} {:.2}s",
                case.name,
                r.forecaster(),
                m.ncrps.unwrap(),
                m.wape.unwrap(),
                m.bias.unwrap(),
                m.coverage_50.unwrap(),
                m.coverage_80.unwrap(),
                m.coverage_95.unwrap(),
                m.width_80.unwrap(),
                d.ncrps.unwrap(),
                r.brier().unwrap(),
                t.elapsed().as_secs_f64()
            );
        }
    }
    Ok(())
}
