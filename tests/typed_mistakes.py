"""What a user gets wrong; each line with a comment has to be refused by `mypy --strict`, with that kind of error."""

from __future__ import annotations

import numpy as np

import reseau as rs

X = np.zeros((4, 3))
y = [0, 1, 0, 1]

rs.Dense(8, "reul")  # arg-type
rs.Dense("8")  # arg-type
rs.Dense(8, init="he")  # arg-type
rs.LayerNorm("thanh")  # arg-type
net = rs.Network(rs.Dense(2), loss="cross_entropie")  # arg-type
rs.Network(rs.Dense(2), dtype="float16")  # arg-type
rs.Network(rs.Dense(2), dtype=np.int64)  # arg-type
rs.Network(rs.Dense(2), engine="gpu")  # arg-type
rs.Network(rs.Dense(2), 8)  # arg-type
rs.Network(rs.Dense(2), los="huber")  # call-arg
net.fit(X, y, optimizer="adamm")  # arg-type
net.fit(X, y, optimizer=rs.Adam)  # arg-type
net.fit(X, y, metrics=["acuracy"])  # list-item
net.fit(X, y, metrics="acuracy")  # arg-type
net.fit(X, y, precision="bf8")  # arg-type
net.fit(X, y, epoch=3)  # call-arg
net.fit("digits.csv", y)  # arg-type
net.fit(X, ["a", "b"])  # arg-type
net.fit(3, y)  # arg-type
print(net(X).W)  # attr-defined
net.step(X, y)  # call-arg
net.blackboard(X, y, lang="de")  # arg-type
net.layers[0].W = "zeros"  # assignment
print(net.layers[0].W.shapes)  # attr-defined
net.layers[0] = rs.Dense(3)  # index
net.layers = []  # assignment
net.loss = "huberr"  # assignment
net.n_parameters = 3  # misc
rs.Adam("0.1")  # arg-type
rs.Adam(beta=0.9)  # call-arg
rs.Cosine(warm_up=3)  # call-arg
rs.Quantile("0.5")  # arg-type
rs.MLPClassifier(activation="sofmax")  # arg-type
rs.MLPClassifier(solver="lm")  # arg-type
rs.MLPClassifier(learning_rate="adaptative")  # arg-type
rs.MLPClassifier(hidden_layer_sizes="100")  # arg-type
rs.MLPClassifier(batch_size="all")  # arg-type
rs.MLPClassifier(loss="cross_entropy")  # arg-type
rs.MLPClassifier(random_state=np.random.default_rng(0))  # arg-type
rs.MLPClassifier(class_weight="balance")  # arg-type
rs.MLPRegressor("log_loss")  # arg-type
rs.MLPRegressor(solver="lbgfs")  # arg-type
print(rs.MLPRegressor().predict(X).W)  # attr-defined
rs.TableClassifier(preset="slow")  # arg-type
rs.TableRegressor(loss="rmse")  # arg-type
rs.TableModel.train("penguins.csv", "species", task="classify")  # arg-type
rs.TableModel.train("penguins.csv", "species", epoch=3)  # call-arg
rs.TableData("penguins.csv", "species", columns={"island": "labels"})  # dict-item
rs.fit_many(net, X, y)  # arg-type
rs.fit_many([net], X, y, optimizer="adamm")  # arg-type
print(rs.History().losses)  # attr-defined
rs.ArrowRows("rows.parquet", 3)  # arg-type
rs.ArrowRows(3, "y")  # arg-type
net([["1", "2"]])  # arg-type
net("rows.csv")  # arg-type
rs.to_c(net, "net.c", weights="outside")  # arg-type
rs.Netwrok(rs.Dense(2))  # attr-defined
