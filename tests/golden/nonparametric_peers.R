# Simulated stays with ties, late entries and weights, and what R's survival package makes of them.
# Writes nonparametric_peers.json:  Rscript nonparametric_peers.R > nonparametric_peers.json
suppressMessages(library(survival))
num <- function(x) paste0("[", paste(ifelse(is.na(x), "null", sprintf("%.17g", x)), collapse = ","), "]")
obj <- function(...) { l <- list(...); paste0("{", paste(sprintf('"%s": %s', names(l), unlist(l)), collapse = ",\n  "), "}") }

stays <- function(n, whole, seed) {
  set.seed(seed)
  won <- 14 * rweibull(n, 1.3); lost <- rlnorm(n, 2.6, .9); open <- runif(n, 2, 40)
  time <- pmin(won, lost, open); cause <- ifelse(time == open, 0, ifelse(time == won, 1, 2))
  time <- if (whole) ceiling(time) else round(time, 3)
  entry <- pmax(0, if (whole) floor(runif(n, -.6, .9) * time) else round(runif(n, -.6, .9) * time, 3))
  entry <- ifelse(entry >= time, 0, entry)
  data.frame(time = time, cause = cause, entry = entry, weight = round(2^(-runif(n, 0, 4)), 4), group = sample(3, n, TRUE), id = seq_len(n))
}

km <- function(d, truncated, weighted) {
  d$entry <- if (truncated) d$entry else rep(-1, nrow(d)); d$weight <- if (weighted) d$weight else rep(1, nrow(d))
  at <- sort(unique(c(d$time[d$cause > 0], 3.3, 11.7)))
  f <- survfit(Surv(entry, time, cause > 0) ~ 1, data = d, weights = weight, robust = FALSE, conf.type = "log-log")
  s <- summary(f, times = at, extend = TRUE)
  i <- findInterval(at, f$time); na <- c(0, f$std.chaz)[i + 1]
  a <- survfit(Surv(entry, time, factor(cause, 0:2)) ~ 1, data = d, weights = weight, id = id)
  j <- findInterval(at, a$time)
  p <- rbind(c(1, 0, 0), a$pstate)[j + 1, ]; se <- rbind(c(0, 0, 0), a$std.err)[j + 1, ]
  obj(at = num(at), survival = num(s$surv), std_err = num(s$std.err), lower = num(s$lower), upper = num(s$upper), hazard = num(s$cumhaz),
      hazard_se = num(na), won = num(p[, 2]), lost = num(p[, 3]), won_jackknife = num(se[, 2]), lost_jackknife = num(se[, 3]))
}

one <- function(name, n, whole, truncated, weighted, seed) {
  d <- stays(n, whole, seed)
  # survdiff takes no late entries; the score test of the exact partial likelihood is the same test, and feasible without ties.
  lr <- if (!truncated) survdiff(Surv(time, cause > 0) ~ group, data = d)$chisq
        else if (!whole) coxph(Surv(entry, time, cause > 0) ~ factor(group), data = d, ties = "exact")$score else NA
  obj(name = sprintf('"%s"', name), time = num(d$time), cause = num(d$cause), entry = if (truncated) num(d$entry) else "null",
      weight = if (weighted) num(d$weight) else "null", group = num(d$group), log_rank = if (is.na(lr)) "null" else sprintf("%.17g", lr), curve = km(d, truncated, weighted))
}

process <- function(n, seed) {   # open <-> offer -> won, with ties, moves back and late entries
  set.seed(seed); rows <- NULL
  for (id in seq_len(n)) {
    t <- if (runif(1) < .3) sample(5, 1) else 0; s <- 1; end <- t + sample(8:40, 1)
    while (s < 3 && t < end) {
      stay <- 1 + rgeom(1, .12); to <- if (s == 1) 2 else sample(c(1, 3), 1, prob = c(.3, .7))
      x <- min(t + stay, end); rows <- rbind(rows, c(id, s, if (x < end) to else 0, t, x)); t <- x; s <- if (x < end) to else 9
    }
  }
  d <- as.data.frame(rows); names(d) <- c("id", "from", "to", "enter", "exit")
  d$event <- factor(d$to, 0:3, c("censor", "1", "2", "3")); d$state <- factor(d$from, 1:3, c("1", "2", "3"))
  at <- c(3, 7, 12, 20, 30)
  f <- survfit(Surv(enter, exit, event) ~ 1, data = d, id = id, istate = state, p0 = c(1, 0, 0))
  s <- summary(f, times = at, extend = TRUE)
  obj(from = num(d$from), to = num(ifelse(d$to == 0, NA, d$to)), enter = num(d$enter), exit = num(d$exit), at = num(at),
      states = paste0('["', paste(f$states, collapse = '","'), '"]'), occupancy = num(as.vector(s$pstate)))
}

cat(obj(provenance = sprintf('"R %s, survival %s, by nonparametric_peers.R"', getRversion(), packageVersion("survival")),
  sets = paste0("[", paste(one("whole days", 90, TRUE, FALSE, FALSE, 1), one("whole days, late entries", 90, TRUE, TRUE, FALSE, 2),
    one("any times, weights", 70, FALSE, FALSE, TRUE, 3), one("whole days, late entries, weights", 90, TRUE, TRUE, TRUE, 4),
    one("any times, late entries", 70, FALSE, TRUE, FALSE, 5), sep = ",\n"), "]"),
  process = process(60, 6)), "\n")
