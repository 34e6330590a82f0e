"""Tables and questions that are refused, and how each refusal begins, or what it says."""

from helpers.own_tables import AVERAGES, ESTIMATES, ROWS

AT = "table.csv:3: column 'score': "
UNREADABLE = {
    "missing column": ("school,scores,se\na,1,1\n", "table.csv:1: there is no column 'score': did you mean 'scores'?"),
    "unknown column": ("school,x,se\na,1,1\n", "table.csv:1: there is no column 'score': there are 'school', 'x'"),
    "duplicate column": ("school,score,score,se\na,1,2,1\n", "table.csv:1: column 'score' occurs 2 times"),
    "empty": ("", "table.csv: is empty"),
    "header only": ("school,score,se\n", "table.csv: has a header and nothing below it"),
    "ragged, long": ("school,score,se\na,1,1\nb,1,1,1\n", "table.csv:3: 4 fields where the header has 3"),
    "ragged, short": ("school,score,se\na,1,1\nb,1\n", "table.csv:3: 2 fields where the header has 3"),
    "semicolons": ("school;score;se\na;1;1\n", "table.csv:1: fields are separated by semicolons"),
    "tabs": ("school\tscore\tse\na\t1\t1\n", "table.csv:1: fields are separated by tabs"),
    "NUL": (b"school,score,se\na,1,1\n\0,2,1\n", "table.csv:3: holds a NUL byte"),
    "not UTF-8": (b"school,score,se\na,1,1\n\xe5,2,1\n", "table.csv:3: byte 0xe5 is not UTF-8"),
    "unclosed quote": ('school,score,se\na,1,1\n"b,2,1\n', "table.csv:3: unexpected end of data: is a quote left"),
    "blank name": ("school,score,se\na,1,1\n ,2,1\n", "table.csv:3: column 'school': '' is blank"),
    "trimmed": ("school,score,se\na,1,1\na ,2,1\n", "table.csv:3: column 'school': 'a ' looks like 'a' of line 2"),
    "Unicode": ("school,score,se\n\u00e9,1,1\ne\u0301,2,1\n", "table.csv:3: column 'school': 'e\u0301' looks like"),
    "one group": ("school,score,se\na,1,1\n", "table.csv: all rows are of one group, 'a'"),
} | {
    name: (f"school,score,se\na,1,1\nb,{written},1\n", f"{AT}{said}")
    for name, written, said in (
        ("decimal comma", '"3,5"', "'3,5' has a decimal comma"),
        ("thousands", '"1,234,567"', "'1,234,567' has a thousands separator"),
        ("comma", '"1,234"', "'1,234' has a comma: leave it out if it groups thousands"),
        ("nan", "nan", "'nan' is not a number"),
        ("inf", "inf", "'inf' is not a number"),
        ("minus inf", "-inf", "'-inf' is not a number"),
        ("blank", "", "'' is blank"),
        ("1e999", "1e999", "'1e999' is too large"),
        ("text", "abc", "'abc' is not a number"),
    )
}  # fmt: skip
COVARIATES = {
    "constant": ("x", "1,1,1,1,1", "table.csv: covariate 'x' is "),
    "one arm": ("x", "drug,drug,drug,drug,drug", "table.csv: covariate 'x' is 'drug' in every group"),
    "mixed": ("x", "1,2,low,3,4", "table.csv:4: column 'x': 'low' is not a number"),
    "blank": ("x", "p,q,,p,q", "table.csv:4: column 'x': '' is blank"),
    "narrow": ("x", "1000000000,1000000001,1000000002,1000000001,1000000000", "table.csv: covariate 'x' varies by"),
    "collinear": ("x,z", "1 2,2 4,3 6,7 14,1 2", "table.csv: covariate 'z' is determined by 'x'"),
    "collinear levels": ("x,z", "p p,q q,r q,p p,r q", "table.csv: covariate 'z[q]' is determined by 'x[q]', 'x[r]'"),
    "too many": ("x,z,u", "p 1 2,q 1 3,r 2 5,s 4 4,t 1 1", "table.csv: 5 groups cannot tell 7 coefficients apart"),
}  # fmt: skip
OF_AVERAGES = {
    "duplicated group": ("a,2,1,1\na,3,2,1", "table.csv:3: column 'school': 'a' is there already, in line 2"),
    "n not whole": ("a,2,1,1\nb,2.5,2,1", "table.csv:3: column 'n': '2.5'"),
    "n is 0": ("a,2,1,1\nb,0,2,1", "table.csv:3: column 'n': '0'"),
    "n negative": ("a,2,1,1\nb,-2,2,1", "table.csv:3: column 'n': '-2'"),
    "negative": ("a,2,1,1\nb,2,2,-1", "table.csv:3: column 's': '-1' must not be negative"),
    "blank": ("a,2,1,1\nb,2,2,", "table.csv:3: column 's': ''"),
    "spread of one": ("a,2,1,1\nb,1,2,0.5", "table.csv:3: column 's': '0.5' is of a group of one"),
    "no spread": ("a,2,1,0\nb,2,2,0\nc,2,5,0", "table.csv: no group has any spread within it"),
}
IMPROPER = {
    "two groups": ("a,1,1\na,2,1\nb,3,1\nb,5,1\n", ("--prior", "tau=Uniform()"), "2 groups are too few"),
    "single rows": ("a,1,1\nb,2,1\nc,3.5,1\n", ("--prior", "tau=Uniform()"), "every group has a single row"),
    "absolute": ("a,1,1\nb,2,1\nc,3.5,1\nd,9,1\n", ("--tau-scale", "absolute"), "every group has a single row"),
    "no spread": ("a,1,1\na,1,1\nb,2,1\nb,2,1\nc,4,1\nc,4,1\n", (), "no group has any spread within it"),
    "all equal": ("a,1,1\nb,1,1\nc,1,1\n", (), "the values do not differ"),
}
USAGE = {
    "unknown prior": ("one_way", (*ROWS, "--prior", "tau=HalfCuachy(1)"), "'HalfCuachy(1)' is no prior of tau"),
    "arguments": ("one_way", (*ROWS, "--prior", "tau=HalfCauchy(1, 2)"), "'HalfCauchy(1, 2)' has 2 arguments"),
    "no arguments": ("one_way", (*ROWS, "--prior", "tau=HalfCauchy()"), "'HalfCauchy()' has 0 arguments"),
    "no number": ("one_way", (*ROWS, "--prior", "tau=HalfCauchy(x)"), "'x' in tau=HalfCauchy(x) is not a finite"),
    "not finite": ("one_way", (*ROWS, "--prior", "mu=Normal(0, inf)"), "'inf' in mu=Normal(0, inf) is not a finite"),
    "negative scale": ("one_way", (*ROWS, "--prior", "tau=HalfNormal(-1)"), "positive"),
    "negative sd": ("one_way", (*ROWS, "--prior", "mu=Normal(0, -1)"), "Normal(0.0, -1.0) needs a positive sd"),
    "no =": ("one_way", (*ROWS, "--prior", "tau"), "'tau' is not of the form NAME=DIST"),
    "prior twice": ("one_way", (*ROWS, "--prior", "tau=Uniform()", "--prior", "tau2=Uniform()"), "given twice for tau"),
    "no such parameter": ("one_way", (*ROWS, "--prior", "nu=Normal(0, 1)"), "--prior of nu: one_way has priors of mu"),
    "no sigma": ("meta_analysis", (*ESTIMATES, "--prior", "sigma=Jeffreys()"), "--prior of sigma: meta_analysis has"),
    "no covariate": ("one_way", (*ROWS, "--prior", "size=Normal(0, 1)"), "--prior of size: one_way has priors of mu"),
    "column twice": ("one_way", (*ROWS, "--covariate", "school"), "--group and --covariate both name the column 'sc"),
    "of the variance": ("one_way", (*ROWS, "--prior", "tau=InverseGamma(1, 1)"), "or tau2=InverseGamma(shape, scale)"),
    "two kinds": ("one_way", (*ROWS, "--mean", "mean"), "--mean does not go with --value"),
    "no kind": ("one_way", ("--group", "school"), "one_way needs --group and --value, or --group, --n, --mean"),
    "no spread": ("one_way", AVERAGES, "one_way needs one of --sd, --se"),
    "no group": ("one_way", ("--value", "score"), "one_way needs --group"),
    "estimate": ("one_way", (*ROWS, "--estimate", "score"), "--estimate is not for one_way"),
    "group": ("meta_analysis", (*ESTIMATES, "--group", "school"), "--group is not for meta_analysis"),
    "tau scale": ("meta_analysis", (*ESTIMATES, "--tau-scale", "absolute"), "--tau-scale is for one_way"),
    "both errors": ("meta_analysis", (*ESTIMATES, "--variance", "v"), "meta_analysis needs one of --se, --variance"),
    "prior": ("eight_schools", ("--prior", "tau=Uniform()"), "--prior is for one_way and meta_analysis"),
    "data": ("eight_schools", (), "--data is for one of one_way, meta_analysis, math_test, blood_pressure"),
    "together": ("one_way", ("eight_schools", *ROWS), "one_way runs by itself: leave out eight_schools"),
    "among": ("one_way", (*ROWS, "--among", "0"), "argument --among: '0' is not a whole number of 1 or more"),
    "compare": ("one_way", (*ROWS, "--compare", "Anna", "Bob"), "table.csv has no group 'Bob': did you mean 'Bobo'?"),
}  # fmt: skip
