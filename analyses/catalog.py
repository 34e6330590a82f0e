"""What a run may be asked for: studies, tables of your own, proofs, engines. `--help` lists them at once."""

STUDIES = {
    "math_test": "math scores in 100 schools: who is really good, and who was only tested on few",
    "blood_pressure": "a trial on 20 subjects measured again and again: does the medication work",
    "baseball": "batting averages of 18 players: what 45 at-bats say about the rest of the season",
    "normal": "one group, its mean and variance unknown: the posterior in closed form",
    "classrooms": "pupils in classrooms in schools, simulated: a third level, and how far down its prior is felt",
    "eight_schools": "effects of coaching in eight schools, known only with their standard errors",
}

OWN = {
    "one_way": "a table of your own: rows in groups, or the averages of groups",
    "meta_analysis": "a table of your own: estimates with their standard errors",
}

PROOFS = {
    "published": "every figure and formula that the four sources print, computed again",
    "calibration": "every engine on every model: do truths rank evenly among its draws",
    "mutants": "samplers with one mistake each: would the calibration have noticed",
    "notebooks": "short stories with their code: small schools, the funnel, your own data, your own sampler",
    "benchmark": "effective draws per second beside what a user might write, and what size costs",
}

RUNS = STUDIES | {"published": PROOFS["published"]}  # what a run without names does

RAW = ("math_test", "blood_pressure")  # studies that take the raw rows behind their tables

ENGINES = ("nuts", "gibbs", "exact")
