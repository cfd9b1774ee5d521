"""The words of exercises and of what is said of answers, in each language; fields in braces are filled in."""

from __future__ import annotations

from reseau.formulas.words import Same, Words

# --- what is wrong with a file of answers, said to the student --------------------------------------------------------

VARIANT_KEY = Words("variant", "variante")
STUDENT_KEY = Words("student", "élève")
LINE = Words("{place}, line {line}", "{place}, ligne {line}")
NAME_OF = Same("{place}, {name}")
NO_ANSWERS = Words(
    "{place}: no answers yet; fill in values first.",
    "{place} : pas encore de réponses ; remplissez d’abord des valeurs.",
)
NOT_ASKED = Words(
    "{where} has {word}, which is not asked for.{hint} Known: {known}.",
    "{where} a {word}, qui n’est pas demandé.{hint} Connus : {known}.",
)
DID_YOU_MEAN = Words(" Did you mean {near}?", " Vouliez-vous dire {near} ?")
NOT_A_NUMBER = Words("{where} has {word}, which is not a number.", "{where} a {word}, qui n’est pas un nombre.")
NOT_A_WRITTEN_NUMBER = Words(
    "{where} has {word}, which is not a number; write it as 0.25, 0,25 or 1/4.",
    "{where} a {word}, qui n’est pas un nombre ; écrivez-le comme 0,25, 0.25 ou 1/4.",
)
DIVIDES_BY_ZERO = Words("{where} has {word}, which divides by zero.", "{where} a {word}, qui divise par zéro.")
TOO_LARGE = Words(
    "{where} has {word}, which is too long or too large to be an answer.",
    "{where} a {word}, qui est trop long ou trop grand pour une réponse.",
)
NO_TABLE = Words(
    "{place} is no table of answers: {why}; give lines of name, row, column and value.",
    "{place} n’est pas un tableau de réponses : {why} ; donnez des lignes avec nom, ligne, colonne et valeur.",
)
FEW_CELLS = Words(
    "{where} has {count} cells, but needs a name, a row, a column and a value.",
    "{where} a {count} cases, mais il faut un nom, une ligne, une colonne et une valeur.",
)
ONE_CELL = Words(
    "{where} has but 1 cell, and needs a name, a row, a column and a value.",
    "{where} n’a qu’une case, et il faut un nom, une ligne, une colonne et une valeur.",
)
NO_PLACE = Words(
    "{where} has row {row} and column {column}, which must be whole numbers from 1.",
    "{where} a la ligne {row} et la colonne {column}, qui doivent être des nombres entiers à partir de 1.",
)
TWICE = Words(
    "{place}, lines {first} and {second} both answer {name} at row {row}, column {column}: {one} and {other}; leave "
    "one of them.",
    "{place}, les lignes {first} et {second} répondent toutes deux à {name}, ligne {row}, colonne {column} : {one} et "
    "{other} ; n’en laissez qu’une.",
)
TWICE_IN_JSON = Words(
    "{place} has {word} twice; leave one of them.", "{place} a {word} deux fois ; n’en laissez qu’un."
)
ALIAS_TOO = Words(
    "{place} has {word}, which is {name}, and that too; leave one of them.",
    "{place} a {word}, qui est {name}, et celui-ci aussi ; n’en laissez qu’un.",
)
OVER = Words(
    "{place} has {name} at row {row}, column {column}, but it has {rows} row(s) and {columns} column(s).",
    "{place} a {name} à la ligne {row}, colonne {column}, mais il a {rows} ligne(s) et {columns} colonne(s).",
)
NOT_JSON = Words("{place} is not JSON: {why}.", "{place} n’est pas du JSON : {why}.")
A_LIST = Words(
    "{place} holds a list, but must hold an object of names with their numbers, {example}.",
    "{place} contient une liste, mais il faut un objet de noms avec leurs nombres, {example}.",
)
OTHER_SHAPE = Words(
    "{place} has {word} with {found_rows} row(s) and {found_columns} column(s), but it has {rows} and {columns}.",
    "{place} a {word} avec {found_rows} ligne(s) et {found_columns} colonne(s), mais il en a {rows} et {columns}.",
)
NO_ROWS = Words(
    "{where} must be a number, a list of numbers, or a list of rows of one length.",
    "{where} doit être un nombre, une liste de nombres, ou une liste de lignes de même longueur.",
)
TOO_LONG = Words(
    "{place} has more than {most} bytes, which no exercise has and no answers to one have; give another file.",
    "{place} a plus de {most} octets, ce que n’ont ni un exercice ni ses réponses ; donnez un autre fichier.",
)
NOT_TEXT = Words(
    "{place} is no text: neither in UTF-8 or UTF-16 nor as Windows writes it; save it as CSV or JSON in UTF-8.",
    "{place} n’est pas du texte : ni en UTF-8 ou UTF-16, ni comme Windows l’écrit ; enregistrez-le en CSV ou JSON, en "
    "UTF-8.",
)
NO_FILE = Words("There is no such file.", "Ce fichier n’existe pas.")
NOT_A_VARIANT = Words(
    "{where} has the variant {word}, but the exercise has {known}.",
    "{where} a la variante {word}, mais l’exercice a {known}.",
)
WHICH_VARIANT = Words(
    "{place} does not say which variant it answers; give it a line such as {example}, or a name such as {name}.",
    "{place} ne dit pas à quelle variante il répond ; ajoutez une ligne comme {example}, ou un nom comme {name}.",
)

# --- the verdict ------------------------------------------------------------------------------------------------------

ONE_RIGHT = Words("The one number is right.", "Le seul nombre est juste.")
BOTH_RIGHT = Words("Both numbers are right.", "Les deux nombres sont justes.")
ALL_RIGHT = Words("All {answered} numbers are right.", "Les {answered} nombres sont justes.")
NONE_RIGHT_OF_ONE = Words("The one number is not right.", "Le seul nombre n’est pas juste.")
NONE_RIGHT = Words("None of the {answered} numbers is right.", "Aucun des {answered} nombres n’est juste.")
ONE_OF_SEVERAL_RIGHT = Words("1 of {answered} numbers is right.", "1 nombre sur {answered} est juste.")
SOME_RIGHT = Words("{right} of {answered} numbers are right.", "{right} nombres sur {answered} sont justes.")
FIRST_WRONG = Words(
    "The first that went wrong is {place}: {given} instead of {expected}.",
    "Le premier qui est faux est {place} : {given} au lieu de {expected}.",
)
AT_ROW = Words("{symbol}, row {row}, column {column} ({name})", "{symbol}, ligne {row}, colonne {column} ({name})")
AT_ROW_OF = Words(
    "{symbol} of sample {sample}, row {row}, column {column} ({name})",
    "{symbol} de l’exemple {sample}, ligne {row}, colonne {column} ({name})",
)
IN_COLUMN = Words("{symbol}, number {column} ({name})", "{symbol}, nombre {column} ({name})")
IS_TRANSPOSED = Words(
    "{symbol} ({name}) has its rows and columns exchanged: a transposition was forgotten or added.",
    "{symbol} ({name}) a ses lignes et ses colonnes échangées : une transposition oubliée ou en trop.",
)
EXCHANGED = Words("rows and columns exchanged", "lignes et colonnes échangées")
LOST = Words(
    "One step is lost in rounding, which is no mistake: {place} is given as {given}, as before the step; it is "
    "{expected}.",
    "Un pas se perd dans l’arrondi, ce qui n’est pas une erreur : {place} est donné comme {given}, comme avant le "
    "pas ; c’est {expected}.",
)
SEVERAL_LOST = Words(
    "{count} steps are lost in rounding, which is no mistake. The first is {place}, given as {given}, as before the "
    "step; it is {expected}.",
    "{count} pas se perdent dans l’arrondi, ce qui n’est pas une erreur. Le premier est {place}, donné comme {given}, "
    "comme avant le pas ; c’est {expected}.",
)
LIKELY = Words("Likely mistake: {mistake}.", "Erreur probable : {mistake}.")
OR = Words(", or ", ", ou ")
NO_KNOWN_MISTAKE = Words(
    "It follows from none of the usual mistakes: a slip of calculation?",
    "Aucune des erreurs habituelles ne l’explique : une faute de calcul ?",
)
AT_LAYER = Words("{mistake} (layer {l})", "{mistake} (couche {l})")
AT_STEP = Words("{mistake} (step {t})", "{mistake} (pas {t})")
AT_LAYER_AND_STEP = Words("{mistake} (layer {l}, step {t})", "{mistake} (couche {l}, pas {t})")

# --- the sheet --------------------------------------------------------------------------------------------------------

EXERCISE = Words("Exercise: a learning step by hand", "Exercice : un pas d’apprentissage à la main")
EXERCISE_OF_SEVERAL = Words(
    "Exercise: {steps} learning steps by hand", "Exercice : {steps} pas d’apprentissage à la main"
)
SOLUTION = Words("Solution: a learning step by hand", "Corrigé : un pas d’apprentissage à la main")
SOLUTION_OF_SEVERAL = Words(
    "Solution: {steps} learning steps by hand", "Corrigé : {steps} pas d’apprentissage à la main"
)
SOLUTION_TITLED = Words("Solution: {title}", "Corrigé : {title}")
TITLE_OF_VARIANT = Words("{title} (variant {variant})", "{title} (variante {variant})")
STEP_OF = Words("Step {t} of {steps}", "Pas {t} sur {steps}")
NAME_LINE = Words("Name: {line}", "Nom : {line}")
FILL_IN = Words(
    "Fill in the blanks, in order. Keep {digits} significant digits or more on the way.",
    "Complétez les blancs, dans l’ordre. Gardez au moins {digits} chiffres significatifs en chemin.",
)
HOW_TO_CHECK = Words(
    "To check your answers: write them into {answers}, then run {command}.",
    "Pour vérifier vos réponses : écrivez-les dans {answers}, puis lancez {command}.",
)
FILES_WRITTEN = Words("Exercise: {sheet}\nSolution: {solution}", "Exercice : {sheet}\nCorrigé : {solution}")
TO_CHECK = Words("To check answers: {command}", "Pour vérifier des réponses : {command}")
TEMPLATE_HEADER = Words("name row column value symbol", "nom ligne colonne valeur symbole")
FROM_NEW = Words(
    "It begins with the new parameters of step {before}.", "Il part des nouveaux paramètres du pas {before}."
)
HINT = Words("Hint: the equations to use", "Indice : les équations à utiliser")
HINTS = Words("Hints", "Indices")
HINT_FOR = Words("Hint for “{stage}”:", "Indice pour « {stage} » :")
KEY = Words("Key of {count} variants", "Corrigé de {count} variantes")
ERROR_BEFORE = Words("error E before", "erreur E avant")
ERROR_AFTER = Words("error E′ after", "erreur E′ après")
VARIANTS_WRITTEN = Words(
    "{count} variants: {sheet}\nKey: {solution}", "{count} variantes : {sheet}\nCorrigé : {solution}"
)
AND_EACH = Words("{sheet}, and each by itself, such as {first}", "{sheet}, et chacune à part, comme {first}")
AND_SO_ON = Words("{first} and so on", "{first} et ainsi de suite")

# --- the marks of a class ---------------------------------------------------------------------------------------------

MARKS = Words("Marks", "Notes")
STUDENT = Words("student", "élève")
VARIANT = Words("variant", "variante")
RIGHT = Words("right", "justes")
RIGHT_OF = Same("{right}/{asked}")
MARK = Words("mark", "note")
PERCENT = Words("{number}%", "{number}\N{NO-BREAK SPACE}%")
MISTAKE = Words("mistake", "erreur")
FIRST = Words("first wrong number", "premier nombre faux")
MISTAKES = Words("Mistakes by kind", "Les erreurs par sorte")
LIKELY_MISTAKE = Words("likely mistake", "erreur probable")
HOW_OFTEN = Words("files", "fichiers")
SLIP = Words("a slip of calculation", "une faute de calcul")
MEAN_MARK = Words(
    "{count} files were read; the mean mark is {mean}.", "{count} fichiers lus ; la note moyenne est {mean}."
)
MEAN_OF_ONE = Words("{count} file was read; its mark is {mean}.", "{count} fichier lu ; sa note est {mean}.")
WHAT_A_MARK_IS = Words(
    "The mark is the share of the numbers asked for that are right, or follow from the student’s own numbers before "
    "them, to 1 %. Of each file the likeliest mistake is counted.",
    "La note est la part des nombres demandés qui sont justes, ou qui suivent des nombres de l’élève qui précèdent, à "
    "1 % près. De chaque fichier, l’erreur la plus probable est comptée.",
)
COLUMNS_OF_MARKS = Words(
    "file student variant right answered asked percent first_wrong mistake not_read",
    "fichier élève variante justes répondus demandés pourcentage premier_faux erreur non_lu",
)

# --- other forms ------------------------------------------------------------------------------------------------------

FILL_IN_FIELDS = Words(
    "Fill in the fields, in order, with {digits} significant digits or more.",
    "Remplissez les champs, dans l’ordre, avec au moins {digits} chiffres significatifs.",
)
FILL_IN_CELLS = Words(
    "Run the first cell. Then put a number in the place of each {blank}, or a calculation in Python such as "
    "0.5 + 2 * 0.25, with {digits} significant digits or more, and run the cell below it: it tells which number first "
    "went wrong, and by what likely mistake.",
    "Exécutez la première cellule. Mettez ensuite un nombre à la place de chaque {blank}, ou un calcul en Python comme "
    "0.5 + 2 * 0.25, avec au moins {digits} chiffres significatifs, et exécutez la cellule qui suit : elle dit quel "
    "nombre est le premier faux, et par quelle erreur probable. Dans une cellule, les décimales suivent un point.",
)
WHAT_CHECK_DOES = Words(
    "Tell which answer first went wrong, and by what likely mistake.",
    "Dire quelle réponse est la première fausse, et par quelle erreur probable.",
)
