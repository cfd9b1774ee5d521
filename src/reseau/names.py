"""The names that users write, so that an editor completes them and a type checker refuses "reul".

Each alias lists the names of a table, which is where an entry is described; a test compares them.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

ActivationName: TypeAlias = Literal[
    "identity",
    "sigmoid",
    "tanh",
    "softmax",
    "log_softmax",
    "increasing",
    "mean_scale",
    "relu",
    "leaky_relu",
    "elu",
    "selu",
    "gelu",
    "gelu_tanh",
    "silu",
    "mish",
    "softplus",
    "softsign",
    "hard_sigmoid",
    "hard_swish",
    "exponential",
]
InitializerName: TypeAlias = Literal[
    "glorot_uniform", "glorot_normal", "he_uniform", "he_normal", "lecun_uniform", "lecun_normal"
]
LossName: TypeAlias = Literal[
    "squared_error",
    "absolute_error",
    "huber",
    "log_cosh",
    "quantile",
    "binary_cross_entropy",
    "cross_entropy",
    "binary_focal",
    "focal",
    "poisson",
    "gamma",
    "tweedie",
    "negative_binomial",
    "gaussian",
    "student_t",
]
OptimizerName: TypeAlias = Literal["sgd", "adam", "adamw", "rmsprop", "amsgrad", "nadam", "radam", "lion", "adagrad"]
LeastSquaresName: TypeAlias = Literal["lm", "br"]
MetricName: TypeAlias = Literal[
    "accuracy",
    "log_loss",
    "auc",
    "f1",
    "precision",
    "recall",
    "balanced_accuracy",
    "mcc",
    "brier",
    "mse",
    "rmse",
    "mae",
    "median_absolute_error",
    "mape",
    "r2",
]
PrecisionName: TypeAlias = Literal["bf16", "bf16x3", "bf16x6"]
DtypeName: TypeAlias = Literal["float32", "float64"]
EngineName: TypeAlias = Literal["native", "reference"]
Language: TypeAlias = Literal["en", "fr"]
WeightsPlace: TypeAlias = Literal["inside", "file"]

# --- those of tables --------------------------------------------------------------------------------------------------

PresetName: TypeAlias = Literal["fast", "standard", "best"]
TaskName: TypeAlias = Literal["classification", "regression"]
ColumnKind: TypeAlias = Literal["number", "category", "date", "text", "ignore"]
UnreadableName: TypeAlias = Literal["error", "missing"]

# --- those of the estimators by scikit-learn's contract ---------------------------------------------------------------

HiddenActivationName: TypeAlias = Literal[
    "identity",
    "logistic",
    "tanh",
    "relu",
    "leaky_relu",
    "elu",
    "selu",
    "gelu",
    "gelu_tanh",
    "silu",
    "mish",
    "softplus",
    "softsign",
    "hard_sigmoid",
    "hard_swish",
    "exp",
    "sigmoid",
    "exponential",
]
ClassificationLossName: TypeAlias = Literal[
    "log_loss",
    "squared_error",
    "absolute_error",
    "huber",
    "log_cosh",
    "quantile",
    "focal",
    "poisson",
    "tweedie",
    "negative_binomial",
]
RegressionLossName: TypeAlias = Literal[
    "squared_error",
    "absolute_error",
    "huber",
    "log_cosh",
    "quantile",
    "poisson",
    "gamma",
    "tweedie",
    "negative_binomial",
    "gaussian",
    "student_t",
]
ClassificationSolverName: TypeAlias = Literal["lbfgs", "sgd", "adam"]
RegressionSolverName: TypeAlias = Literal["lbfgs", "sgd", "adam", "lm", "br"]
RateName: TypeAlias = Literal["constant", "invscaling", "adaptive"]
