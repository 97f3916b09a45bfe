use dealcast::fit::*;
use dealcast::*;
use std::time::Instant;
fn main() {
    let p =
        SalesProcess::open(["submitted", "preaccepted", "accepted", "offer_sent", "offer_returned"]).unwrap();
    let f =
        flate2::read::GzDecoder::new(std::fs::File::open("../shared/data/bpi2012/events.csv.gz").unwrap());
    let log =
        DealLog::from_rows(&p, csv::Reader::from_reader(f).into_deserialize::<tidy::StageRow>()).unwrap();
    let d = time::date(2012, 1, 14).unwrap();
    let known = log.as_of(d);
    let per = Period::days(d, 28).unwrap();
    let t = Instant::now();
    let m = ForecastModel::default().fit(&known, &per).unwrap();
    println!("fit {:?}", t.elapsed());
    let b = known.snapshot();
    let t = Instant::now();
    let tot = m.total(&b, &per, Split::Whole).unwrap();
    println!("total {:?} n {}", t.elapsed(), tot.n_deals());
    let td = m.total_deals(&b, &per, Split::Whole).unwrap();
    let t = Instant::now();
    let f = tot.exact(&Default::default()).unwrap();
    println!("money {:?} {:?}", t.elapsed(), f.error_bound());
    let t = Instant::now();
    let f = td.exact(&Default::default()).unwrap();
    println!("deals {:?} {:?}", t.elapsed(), f.error_bound());
    let t = Instant::now();
    f.crps(500.0);
    println!("crps {:?}", t.elapsed());
    let t = Instant::now();
    f.quantile(Level::HALF);
    println!("q {:?}", t.elapsed());
    println!("{:?}", m.evidence());
}
