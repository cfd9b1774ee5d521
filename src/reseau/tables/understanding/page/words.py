"""The words of the page, in each language."""

from __future__ import annotations

from reseau.formulas.words import Same, Words

# Nouns with their counts, for one and for several.
ROWS = (Words("1 row", "1 ligne"), Words("{count} rows", "{count} lignes"))
COLUMNS = (Words("1 column", "1 colonne"), Words("{count} columns", "{count} colonnes"))
NETWORKS = (Words("1 network", "1 réseau"), Words("{count} networks", "{count} réseaux"))
CLASSES = (Words("1 class", "1 classe"), Words("{count} classes", "{count} classes"))
RARE_CLASSES = (Words("1 rare class", "1 classe rare"), Words("{count} rare classes", "{count} classes rares"))
LEVELS = (Words("1 level", "1 modalité"), Words("{count} levels", "{count} modalités"))
TEXTS = (Words("1 text", "1 texte"), Words("{count} different texts", "{count} textes différents"))
OTHERS = (Words("1 other", "1 autre"), Words("{count} others", "{count} autres"))
FOLDS = (Words("1 fold", "1 pli"), Words("{count} folds", "{count} plis"))
PARAMETERS = (Words("1 parameter", "1 paramètre"), Words("{count} parameters", "{count} paramètres"))
FILES = (Words("1 file", "1 fichier"), Words("{count} files", "{count} fichiers"))
AND = Words(" and ", " et ")
NOTHING_HERE = Words("missing", "manquante")

# The head.
TITLE = Words("Predicting {target} from {table}", "Prédire {target} à partir de {table}")
EYEBROW = Words("Report on a table model", "Compte rendu d’un modèle de table")
TITLE_ALONE = Words("Predicting {target}", "Prédire {target}")
IN_MEMORY = Words("The table in memory", "La table en mémoire")
IN_SHORT_CLASSES = Words(
    "The model says the right class in {accuracy} of {rows} {unseen}; always guessing {label} would be right in "
    "{simplest}.",
    "Le modèle donne la bonne classe pour {accuracy} de {rows} {unseen} ; toujours répondre {label} serait juste pour "
    "{simplest}.",
)
IN_SHORT_QUANTITY = Words(
    "The model is off by {mae} on average on {rows} {unseen}; always guessing the mean would be off by {simplest}.",
    "Le modèle se trompe en moyenne de {mae} sur {rows} {unseen} ; toujours répondre la moyenne se tromperait de "
    "{simplest}.",
)
OUT_OF_FOLD = Words(
    "that were predicted by networks that had not learned from them",
    "prédites par des réseaux qui ne les avaient pas apprises",
)
HELD_OUT = Words("that were held out of the training", "tenues à l’écart de l’apprentissage")
OF_EPOCHS = Words(
    "that were not learned from, but on which the epoch was chosen",
    "qui n’ont pas été apprises, mais sur lesquelles l’époque a été choisie",
)
OF_FILE = Words("of {table}, that were not learned from", "de {table}, qui n’ont pas été apprises")
OF_ANOTHER = Words("of another table, that were not learned from", "d’une autre table, qui n’ont pas été apprises")
LATEST = Words(
    "that were held out of the training, the latest by {time}",
    "tenues à l’écart de l’apprentissage, les plus tardives selon {time}",
)
USELESS = Words(
    "This is no better than the simplest guess: nothing was learned from this table.",
    "Ce n’est pas mieux que la réponse la plus simple : rien n’a été appris de cette table.",
)
ROWS_READ, COLUMNS_USED = Words("rows", "lignes"), Words("columns used, of {all}", "colonnes utilisées, sur {all}")
WARNINGS = Words("warnings", "avertissements")
CONTENTS = Words("Contents", "Sommaire")

# The data.
DATA = Words("The data as recognised", "Les données telles qu’elles ont été reconnues")
DATA_TOLD = Words(
    "{table} has {rows} and {columns}. Of each column: what it was taken for, how many cells are missing, and what it "
    "holds.",
    "{table} a {rows} et {columns}. Pour chaque colonne : comment elle a été comprise, combien de cellules manquent, "
    "et ce qu’elle contient.",
)
SAMPLED = Words(
    "What follows is of {some} rows, drawn from the {rows} that stay on disk.",
    "Ce qui suit concerne {some} lignes, tirées des {rows} qui restent sur le disque.",
)
PREDICTED = Words("{target}, which is predicted", "{target}, à prédire")
COLUMN, TAKEN_FOR = Words("column", "colonne"), Words("taken for", "comprise comme")
MISSING, HOLDS = Words("missing", "manquantes"), Words("holds", "contient")
DISTRIBUTION = Words("distribution", "répartition")
KINDS = {
    "classification": Words("classes", "classes"),
    "regression": Words("number", "nombre"),
    "number": Words("number", "nombre"),
    "boolean": Words("boolean", "booléen"),
    "category": Words("category", "catégorie"),
    "date": Words("date", "date"),
    "text": Words("text", "texte"),
    "identifier": Words("identifier", "identifiant"),
    "constant": Same("constant"),
    "empty": Words("empty", "vide"),
    "free text": Words("free text", "texte libre"),
    "unsupported": Words("unsupported", "non prise en charge"),
    "unrelated": Words("unrelated", "sans rapport"),
    "ignored": Words("ignored", "ignorée"),
}
REASONS = {
    "identifier": Words("left out: another value in every row", "écartée : une valeur différente à chaque ligne"),
    "constant": Words("left out: always {only}", "écartée : toujours {only}"),
    "empty": Words("left out: all cells are missing", "écartée : toutes les cellules manquent"),
    "free text": Words(
        "left out: too few texts, or nothing that tells the target",
        "écartée : trop peu de textes, ou rien qui dise ce qui est à prédire",
    ),
    "unsupported": Words("left out: cells of such a type are not read", "écartée : ce type de cellule n’est pas lu"),
    "unrelated": Words(
        "left out: nothing that goes with the target", "écartée : rien qui aille avec ce qui est prédit"
    ),
    "ignored": Words("left out as asked", "écartée, comme demandé"),
}
ENDS = Words("{low} to {high}, median {median}", "de {low} à {high}, médiane {median}")
TRUE_IN = Words("true in {share}", "vrai pour {share}")
COMMONEST = Words("{levels}, most often {names}", "{levels}, le plus souvent {names}")
SUCH_AS = Words("{texts}, such as {text}", "{texts}, comme {text}")
LEVELS_ARE = Words("{levels}: {names}", "{levels} : {names}")
BARS = Words("Histogram of {column}", "Histogramme de {column}")
MORE_COLUMNS = Words("The other columns: {kinds}.", "Les autres colonnes : {kinds}.")
ALL_COLUMNS = Words("{columns} more", "{columns} de plus")

# What was noticed.
NOTICED = Words("What was noticed", "Ce qui a été remarqué")
NOTHING_NOTICED = Words(
    "Nothing unusual: no leak, no copies of rows, no rare class, no mark of missing values among the numbers.",
    "Rien d’inhabituel : ni fuite, ni lignes en double, ni classe rare, ni code de valeur manquante parmi les nombres.",
)
WARNING, NOTE = Words("Warning", "Attention"), Words("Note", "Remarque")
NOTES = Words("From the reading of the table", "À la lecture de la table")
NOTES_ARE_ENGLISH = Words("", "Ces notes sont en anglais, comme dans le terminal.")
MORE_NOTES = Words("and {count} more", "et {count} de plus")
LEAK_OF_CLASS = Words(
    "A leak? {column} alone tells {target} in {score} of the rows. If it is not known before {target} is, leave it out "
    "with {option}.",
    "Une fuite ? À elle seule, {column} donne {target} pour {score} des lignes. Si elle n’est pas connue avant "
    "{target}, écartez-la avec {option}.",
)
LEAK_OF_NUMBER = Words(
    "A leak? {column} alone tells {target} nearly exactly (R² {score} of the ranks). If it is not known before "
    "{target} is, leave it out with {option}.",
    "Une fuite ? À elle seule, {column} donne {target} presque exactement (R² {score} sur les rangs). Si elle n’est "
    "pas connue avant {target}, écartez-la avec {option}.",
)
MORE_LEAKS = Words("So do {columns}.", "De même pour {columns}.")
SAME_COLUMNS = Words(
    "{columns} tell the same in each row: one of them is enough.",
    "{columns} disent la même chose à chaque ligne : l’une suffit.",
)
COPIES = Words(
    "Copies: {rows} are the same as another one, target included. While one is scored, its copy may be learned from, "
    "so that scores look too good. Remove copies, or keep them together with {option}.",
    "Doublons : {rows} sont identiques à une autre, cible comprise. Pendant que l’une est évaluée, sa copie peut être "
    "apprise, et les scores paraissent trop bons. Supprimez les doublons, ou gardez-les ensemble avec {option}.",
)
COPIES_NOTED = Words(
    "{rows} are the same as another one, target included.", "{rows} sont identiques à une autre, cible comprise."
)
CONTRADICTING_CLASSES = Words(
    "{rows} have the inputs of others with another {target}: from these columns at most {share} of the rows can be "
    "told right.",
    "{rows} ont les mêmes entrées que d’autres dont {target} diffère : à partir de ces colonnes, au plus {share} des "
    "lignes peuvent être justes.",
)
CONTRADICTING_NUMBERS = Words(
    "{rows} have the inputs of others with another {target}: from these columns no R² above {r2} is possible.",
    "{rows} ont les mêmes entrées que d’autres dont {target} diffère : à partir de ces colonnes, aucun R² au-dessus "
    "de {r2} n’est possible.",
)
RARE = Words(
    "{count}, with fewer than 10 rows or less than 1% of all: {classes}. What scores say of these is uncertain.",
    "{count}, avec moins de 10 lignes ou moins de 1\N{NO-BREAK SPACE}% du total : {classes}. Ce que les "
    "scores en disent est incertain.",
)
IMBALANCE = Words(
    "In {share} of the rows {target} is {label}: always guessing so is right as often. Look at the log loss and at the "
    "rates of each class rather than at the accuracy.",
    "Pour {share} des lignes, {target} vaut {label} : toujours répondre ainsi est juste aussi souvent. Regardez "
    "l’entropie croisée et les taux de chaque classe plutôt que l’exactitude.",
)
SENTINELS = Words(
    "{column}: {marks} in {rows} stand apart from the others ({low} to {high}). If they mark missing values, {option} "
    "reads them so.",
    "{column} : {marks} dans {rows} sont à l’écart des autres (de {low} à {high}). S’ils marquent des valeurs "
    "manquantes, {option} les lit ainsi.",
)
SKEWED = Words(
    "{target} is skewed: from {low} to {high} with a median of {median}. {learned}",
    "{target} est dissymétrique : de {low} à {high}, avec une médiane de {median}. {learned}",
)
LEARNED_AS = {
    "": Words("It was learned as it is.", "Appris tel quel."),
    "log": Words(
        "It was learned by its logarithm, which told rows out of fold better.",
        "Appris par son logarithme, qui prédisait mieux les lignes hors pli.",
    ),
}
LEARNED_AS_MEAN = Words(
    "It was learned as a mean above 0, by the logarithm of that.",
    "Appris comme une moyenne positive, par le logarithme de celle-ci.",
)
HUMP = Words(
    "In {share} of the rows {target} is exactly {value}.", "Pour {share} des lignes, {target} vaut exactement {value}."
)
TARGET_MISSING = Words(
    "{rows} without a value of {target} left out.", "{rows} sans valeur de {target}, laissées de côté."
)
MANY_MISSING = Words(
    "Missing in more than half of the rows: {columns}.", "Manquantes dans plus de la moitié des lignes : {columns}."
)
MISSING_TELLS_CLASS = Words(
    "Whether {column} is missing goes with {target}: {label} in {there} of the rows where it is, in {elsewhere} of the "
    "others. Will it be missing for the same reason later on?",
    "L’absence de {column} va avec {target} : {label} pour {there} des lignes où elle manque, pour {elsewhere} des "
    "autres. Manquera-t-elle plus tard pour la même raison ?",
)
MISSING_TELLS_NUMBER = Words(
    "Whether {column} is missing goes with {target}: {there} on average where it is, {elsewhere} elsewhere. Will it be "
    "missing for the same reason later on?",
    "L’absence de {column} va avec {target} : {there} en moyenne là où elle manque, {elsewhere} ailleurs. "
    "Manquera-t-elle plus tard pour la même raison ?",
)

# Scores.
SCORES = Words("Scores", "Scores")
SCORES_TOLD = Words(
    "Of {rows} {unseen}. ± is the standard error: other rows of the same kind would give a score within twice that in "
    "19 of 20 cases.",
    "Sur {rows} {unseen}. ± est l’erreur type : d’autres lignes de même nature donneraient un score à moins du double "
    "dans 19 cas sur 20.",
)
SCORE, MODEL = Words("score", "score"), Words("model", "modèle")
OVER_FOLDS, FROM_TO = Words("over {folds}", "sur {folds}"), Words("from – to", "de – à")
SIMPLEST = Words("simplest guess", "réponse la plus simple")
SIMPLEST_CLASSES = Words(
    "The simplest guess is always {label}, the commonest class; for the log loss the frequencies of the classes.",
    "La réponse la plus simple est toujours {label}, la classe la plus fréquente ; pour l’entropie croisée, les "
    "fréquences des classes.",
)
SIMPLEST_QUANTITY = Words(
    "The simplest guess is always the mean.", "La réponse la plus simple est toujours la moyenne."
)
FOLDS_TOLD = Words(
    "Over folds: each scored by itself, the mean and the deviation between them.",
    "Par pli : chacun évalué séparément, la moyenne et l’écart type entre eux.",
)
MEAN_IS_BETTER = Words(
    "These are scores of single networks; the mean of all of them, which predicts new rows, is rather better.",
    "Ce sont les scores de réseaux seuls ; leur moyenne à tous, qui prédit les lignes nouvelles, est plutôt meilleure.",
)
ACCURACY, BALANCED = Words("accuracy", "exactitude"), Words("balanced accuracy", "exactitude équilibrée")
LOG_LOSS, AUC = Words("log loss", "entropie croisée"), Words("area under ROC", "aire sous la courbe ROC")
R2, RMSE, MAE = (
    Same("R²"),
    Words("RMSE, root mean square error", "RMSE, racine de l’erreur quadratique moyenne"),
    Words("MAE, mean absolute error", "MAE, erreur absolue moyenne"),
)
NAMES = {"accuracy": ACCURACY, "log loss": LOG_LOSS, "R²": R2, "RMSE": RMSE, "MAE": MAE}
OVER_PARTS = Words("over {count} parts", "sur {count} parties")
CROSS_VALIDATION = Words(
    "Cross-validation: each part of the rows by a model that has not learned from it",
    "Validation croisée : chaque partie des lignes par un modèle qui ne l’a pas apprise",
)
EACH_FOLD, FOLD = Words("Each fold by itself", "Chaque pli séparément"), Words("fold", "pli")

# Training.
CURVES = Words("Curves of the training", "Courbes d’apprentissage")
CURVES_TOLD = Words(
    "{networks}, {parameters} in all. Of each network: the loss on the rows that it learns from, and on those that it "
    "does not; a dot is the epoch whose weights were kept.",
    "{networks}, {parameters} en tout. Pour chaque réseau : l’erreur sur les lignes qu’il apprend, et sur celles qu’il "
    "n’apprend pas ; un point est l’époque dont les poids ont été gardés.",
)
EPOCH, LOSS = Words("epoch", "époque"), Words("loss", "erreur")
LEARNED, NOT_LEARNED = Words("rows learned from", "lignes apprises"), Words("rows not learned from", "autres lignes")
CURVES_ARE = Words(
    "Losses over {epochs} epochs: of the rows learned from down to {learned}, of the others down to {other}.",
    "Erreurs sur {epochs} époques : jusqu’à {learned} pour les lignes apprises, {other} pour les autres.",
)

# Classes.
CONFUSION = Words("Which class is taken for which", "Quelle classe est prise pour quelle autre")
CONFUSION_TOLD = Words(
    "Each row of the table is a class; its cells say which share of it was taken for which class, and how many rows "
    "these are.",
    "Chaque ligne du tableau est une classe ; ses cellules disent quelle part en a été prise pour quelle classe, et "
    "combien de lignes cela fait.",
)
IS_, TAKEN = Words("is", "est"), Words("was taken for", "a été prise pour")
ACTUAL, PREDICTION = Words("actual", "réelle"), Words("predicted", "prédite")
COMMON_CONFUSIONS = Words("The commonest confusions", "Les confusions les plus fréquentes")
NO_CONFUSIONS = Words("No row was taken for another class.", "Aucune ligne n’a été prise pour une autre classe.")
SHARE_OF_CLASS = Words("share of the class", "part de la classe")
RATES = Words("Each class", "Chaque classe")
CLASS, RECALL, PRECISION = Words("class", "classe"), Words("recall", "rappel"), Words("precision", "précision")
RATES_TOLD = Words(
    "Recall: which share of the class is told right. Precision: which share of what is taken for it is of it.",
    "Rappel : quelle part de la classe est bien reconnue. Précision : quelle part de ce qui est pris pour elle en est.",
)
COMMONEST_CLASSES = Words("The commonest {shown} of {all}.", "Les {shown} plus fréquentes sur {all}.")
CALIBRATION = Words("Calibration", "Calibration")
CALIBRATION_TOLD = Words(
    "Rows in groups of about equal size by the probability that was said of {of}: how often it was so. On the "
    "diagonal probabilities are met; bars are two standard errors to either side.",
    "Les lignes en groupes de taille à peu près égale selon la probabilité annoncée de {of} : combien de fois c’était "
    "vrai. Sur la diagonale, les probabilités sont tenues ; les barres font deux erreurs types de chaque côté.",
)
THE_PREDICTED = Words("the class predicted, whichever it is", "la classe prédite, quelle qu’elle soit")
SAID, MET = (
    Words("probability said", "probabilité annoncée"),
    Words("share of rows where it is so", "part de lignes où c’est vrai"),
)
ECE = Words(
    "Expected calibration error: {error}, the mean difference between what is said and what is met.",
    "Erreur de calibration attendue : {error}, l’écart moyen entre ce qui est annoncé et ce qui est observé.",
)
HOW_SURE = Words("How many rows are given which probability", "Combien de lignes reçoivent quelle probabilité")

IN_NUMBERS = Words("In numbers", "En chiffres")

# Numbers.
PREDICTED_ACTUAL = Words("Predicted and actual", "Prédit et réel")
PREDICTED_ACTUAL_TOLD = Words(
    "Each dot is a row; on the diagonal predictions are exact.",
    "Chaque point est une ligne ; sur la diagonale, les prédictions sont exactes.",
)
SOME_POINTS = Words("{shown} of {all} are drawn.", "{shown} sur {all} sont dessinées.")
ACTUAL_OF, PREDICTED_OF = Words("actual {target}", "{target} réel"), Words("predicted {target}", "{target} prédit")
ERRORS = Words("Errors: actual minus predicted", "Erreurs : réel moins prédit")
ERRORS_TOLD = Words(
    "On average {bias}, and half of the rows are within {median}.",
    "En moyenne {bias}, et la moitié des lignes sont à moins de {median}.",
)
ERROR = Words("error", "erreur")
COUNT_OF_ROWS = Words("rows", "lignes")
INTERVALS = Words("Intervals", "Intervalles")
INTERVALS_TOLD = Words(
    "What intervals of such a probability hold, each made without the errors of the fold that it is tried on.",
    "Ce que contiennent les intervalles d’une telle probabilité, chacun fait sans les erreurs du pli où il est "
    "éprouvé.",
)
INTERVALS_OF_ROWS = Words(
    "What the model’s intervals of such a probability hold of these rows.",
    "Ce que les intervalles du modèle d’une telle probabilité contiennent de ces lignes.",
)
PROMISED, HELD = Words("promised", "annoncé"), Words("held", "contenu")
WIDTH = Words("median width", "largeur médiane")
TOO_FEW = Words("There are too few rows for intervals.", "Il y a trop peu de lignes pour des intervalles.")

# Columns.
IMPORTANCE = Words("Which columns matter", "Quelles colonnes comptent")
IMPORTANCE_TOLD = Words(
    "By how much the error ({measured}, {error} as it is) grows where the values of a column are shuffled among rows: "
    "in the mean of {repeats} shuffles of {rows}, ± the deviation between them. A column that goes along with another "
    "one may be worth little, as the other one tells the same.",
    "De combien l’erreur ({measured}, {error} sans mélange) grandit quand les valeurs d’une colonne sont mélangées "
    "entre lignes : en moyenne sur {repeats} mélanges de {rows}, ± l’écart type entre eux. Une colonne qui va avec "
    "une autre peut sembler valoir peu, puisque l’autre dit la même chose.",
)
GROWTH = Words("growth of the error", "croissance de l’erreur")
MORE_IMPORTANT = Words("{columns} more, each at most {growth}.", "{columns} de plus, chacune {growth} au plus.")
GROWTH_OF = Words("Growth of the error without {column}", "Croissance de l’erreur sans {column}")
EFFECTS = Words(
    "How predictions follow the most important columns",
    "Comment les prédictions suivent les colonnes qui comptent le plus",
)
EFFECTS_TOLD = Words(
    "What is predicted where a column is changed and all others stay: thin lines are single rows, the thick one is "
    "their mean. Lines that are not parallel tell that columns act together. Changed so, rows may be such as never "
    "occur.",
    "Ce qui est prédit quand une colonne change et que les autres restent : les lignes fines sont des lignes de la "
    "table, l’épaisse leur moyenne. Des lignes non parallèles disent que des colonnes agissent ensemble. Ainsi "
    "changées, des lignes peuvent être telles qu’il n’y en a jamais.",
)
PROBABILITY_OF = Words("probability of {label}", "probabilité de {label}")
PROBABILITY_OF_CLASS = Words("probability of the class", "probabilité de la classe")
EFFECT_IS = Words(
    "{column}: the mean prediction goes from {first} to {last}, between {low} and {high}.",
    "{column} : la prédiction moyenne va de {first} à {last}, entre {low} et {high}.",
)

# The rest.
HARDEST = Words("The hardest rows", "Les lignes les plus difficiles")
HARDEST_TOLD = Words(
    "Those that the model is farthest from: errors in the table, rare cases, or something that no column tells.",
    "Celles dont le modèle est le plus loin : des erreurs dans la table, des cas rares, ou ce qu’aucune "
    "colonne ne dit.",
)
ROW, LINE = Words("row", "ligne"), Words("line of the file", "ligne du fichier")
PROBABILITY = Words("its probability", "sa probabilité")
REPEAT = Words("How to repeat it", "Comment le refaire")
REPEAT_TOLD = Words(
    "The same command on the same file gives the same model and this page, to the byte, with any number of threads.",
    "La même commande sur le même fichier donne le même modèle et cette page, à l’octet près, quel que soit le nombre "
    "de fils d’exécution.",
)
REPEAT_IN_PYTHON = Words(
    "The model was trained in Python; the same call on the same table gives the same model and this page, to the byte.",
    "Le modèle a été entraîné en Python ; le même appel sur la même table donne le même modèle et cette page, à "
    "l’octet près.",
)
SETTING = Words("setting", "réglage")
FILE, SIZE = Words("file", "fichier"), Words("bytes", "octets")
DIGEST = Same("SHA-256")
NO_DIGEST = Words("too large to be digested", "trop grand pour une empreinte")
MORE_FILES = Words("and {files} more", "et {files} de plus")
