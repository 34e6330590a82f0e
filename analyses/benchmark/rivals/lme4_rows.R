# A random intercept in lme4, from rows in memory whose groups are a factor already.
suppressPackageStartupMessages(library(lme4))
arguments <- commandArgs(trailingOnly = TRUE)  # folder of the rows, folder to hand in to, seed
rows <- read.csv(file.path(arguments[1], "rows.csv"), colClasses = c("factor", "numeric"))
took <- system.time(lmer(score ~ 1 + (1 | school), data = rows))
cpu <- took[["user.self"]] + took[["sys.self"]]
cat(sprintf('{"seconds": {"lmer": %g}, "cpu": %g}\n', took[["elapsed"]], cpu),
    file = file.path(arguments[2], "seconds.json"))
