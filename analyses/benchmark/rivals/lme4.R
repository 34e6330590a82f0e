# The math tests in lme4: restricted maximum likelihood, a point and no posterior.
suppressPackageStartupMessages(library(lme4))
arguments <- commandArgs(trailingOnly = TRUE)  # rows, folder, seed
rows <- read.csv(arguments[1], colClasses = c(school = "character"))
seconds <- system.time(lmer(score ~ 1 + (1 | school), data = rows))[["elapsed"]]
cat(sprintf('{"seconds": {"setup": 0, "compile": 0, "sampling": %g}}\n', seconds),
    file = file.path(arguments[2], "seconds.json"))
