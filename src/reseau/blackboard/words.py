"""The words of the blackboard in each language; fields in braces are filled in. Entries of tables bring their own."""

from __future__ import annotations

from reseau.formulas.words import Words

TITLE = Words("At the blackboard: a learning step", "Au tableau : un pas d’apprentissage")
SEVERAL = Words("At the blackboard: {steps} learning steps", "Au tableau : {steps} pas d’apprentissage")
NETWORK = Words(
    "A network {widths}: {inputs}, {layers}.",
    "Un réseau {widths} : {inputs}, {layers}.",
)
INPUTS = Words("{count} inputs", "{count} entrées")
ONE_INPUT = Words("1 input", "1 entrée")
LAYERS = Words("{count} layers", "{count} couches")
ONE_LAYER = Words("1 layer", "1 couche")
NEURONS = Words("{count} neurons", "{count} neurones")
ONE_NEURON = Words("1 neuron", "1 neurone")
NUMBERS = Words("{count} numbers", "{count} nombres")
ONE_NUMBER = Words("1 number", "1 nombre")
LAYER = Words("Layer {l}: {kind}", "Couche {l} : {kind}")
WITH_ACTIVATION = Words("activation function {activation}", "fonction d’activation {activation}")
WITHOUT_BIAS = Words("without bias", "sans biais")
ROUNDED = Words(
    "Numbers are rounded to {digits} significant digits, or to more where a result takes them; what follows is "
    "computed from the unrounded ones.",
    "Les nombres sont arrondis à {digits} chiffres significatifs, ou à plus s’il en faut pour un résultat ; la suite "
    "se calcule avec les nombres non arrondis.",
)
EXACT = Words(
    "Fractions are exact; where a number is not rational, or its fraction is long, its decimals stand, rounded to "
    "{digits} significant digits.",
    "Les fractions sont exactes ; un nombre qui n’est pas rationnel, ou dont la fraction est longue, est en décimales, "
    "arrondi à {digits} chiffres significatifs.",
)

AND = Words(" and ", " et ")
COMMA_THE, AND_THE = Words(", ", ", les "), Words(" and ", " et les ")
COMMA_OF_THE, AND_OF_THE = Words(", ", ", des "), Words(" and ", " et des ")

GIVEN = Words("Given", "Données")
SAMPLE = Words(
    "The sample: a row X of inputs, and the target O* of each output neuron.",
    "L’exemple : une ligne X d’entrées, et la cible O* de chaque neurone de sortie.",
)
BATCH = Words(
    "The batch: {rows} rows X of inputs, and their targets O*.",
    "Le mini-lot : {rows} lignes X d’entrées, et leurs cibles O*.",
)
PARAMETERS = Words("The {tensors} of each layer:", "Les {tensors} de chaque couche :")
LEARNING_RATE = Words("The learning rate:", "Le taux d’apprentissage :")
SETTINGS = Words("The optimizer {optimizer}, with:", "L’optimiseur {optimizer}, avec :")
VALUE = Words("value", "valeur")
INPUT = Words("input", "entrée")
OUTPUT = Words("output", "sortie")
TARGET = Words("target", "cible")
MEANING = Words("meaning", "signification")

FORWARD = Words("1. Forward: from the inputs to the output", "1. Propagation : des entrées à la sortie")
EACH_NEURON = Words("Neuron {j}, written out:", "Le neurone {j} pondère ses entrées, en détail :")
EACH_NEURON_OF_ROW = Words(
    "Neuron {j} for row {r}, written out:", "Le neurone {j} pondère ses entrées, pour la ligne {r}, en détail :"
)
LINK = Words("A residual link adds {source}:", "Un lien résiduel ajoute {source} :")
OUTPUTS_OF_LAYER = Words("the outputs of layer {l}", "les sorties de la couche {l}")
THE_INPUTS = Words("the inputs", "les entrées")
DROPPED = Words(
    "In training, each output of this layer is dropped with probability {p}; on the board none is.",
    "À l’entraînement, chaque sortie de cette couche est omise avec la probabilité {p} ; au tableau, aucune ne l’est.",
)
OUTPUT_IS = Words(
    "The output of the network is that of its last layer:", "La sortie du réseau est celle de sa dernière couche :"
)

ERROR = Words("2. Error", "2. Erreur")
ERROR_OF_EACH = Words("The error of output neuron j ({loss}):", "L’erreur du neurone de sortie j ({loss}) :")
TOTAL = Words("Together:", "Au total, la fonction de coût :")
ROWS = Words("rows", "lignes")
MEAN = Words(
    "Together, averaged over the {rows} rows:",
    "Au total, la fonction de coût, en moyenne sur les {rows} lignes :",
)

BACKWARD = Words("3. Backward: from the error to the gradient", "3. Rétropropagation : de l’erreur au gradient")
ERROR_DERIVATIVE = Words("How the error follows the outputs:", "Comment l’erreur suit les sorties :")
AVERAGED = Words(
    "Each row counts 1/{rows}, as E is the mean over the rows.",
    "Chaque ligne compte pour 1/{rows}, car E est la moyenne sur les lignes.",
)
DERIVATIVE = Words(
    "The derivative of the activation function, at layer {l}:",
    "La dérivée de la fonction d’activation, à la couche {l} :",
)
JACOBIAN = Words(
    "The derivative of the activation function, at layer {l}: a matrix, as every output depends on every z.",
    "La dérivée de la fonction d’activation, à la couche {l} : une matrice, car chaque sortie dépend de chaque z.",
)
IN_GROUPS = Words(
    "within each group of neurons by itself; the groups have {groups} neurons.",
    "dans chaque groupe de neurones à part ; les groupes ont {groups} neurones.",
)
ROW_R = Words("Row {r}:", "Ligne {r} :")
DELTA = Words("What reaches the sums Z of layer {l}:", "Ce qui parvient aux sommes Z de la couche {l} :")
DELTA_OF_NUMBERS = Words("What reaches the numbers Z of layer {l}:", "Ce qui parvient aux nombres Z de la couche {l} :")
SIMPLIFIES = Words(
    "With this activation function and this error the product is simply the difference:",
    "Avec cette fonction d’activation et cette erreur, le produit est simplement la différence :",
)
BECOMES = Words(
    "With this activation function and this error the product becomes:",
    "Avec cette fonction d’activation et cette erreur, le produit devient :",
)
SATURATED = Words(
    "An output is so near its limit that this product cannot be computed from rounded numbers; with this activation "
    "function and this error it is simply the difference:",
    "Une sortie est si proche de sa limite que ce produit ne se calcule pas avec des nombres arrondis ; avec cette "
    "fonction d’activation et cette erreur, c’est simplement la différence :",
)
SATURATED_BECOMES = Words(
    "An output is so near its limit that this product cannot be computed from rounded numbers; with this activation "
    "function and this error it becomes:",
    "Une sortie est si proche de sa limite que ce produit ne se calcule pas avec des nombres arrondis ; avec cette "
    "fonction d’activation et cette erreur, il devient :",
)
AT_LIMIT = Words(
    "{outputs} cannot be told from {limit} with the digits of double precision.",
    "{outputs} ne se distingue pas de {limit} avec les chiffres de la double précision.",
)
SEVERAL_AT_LIMIT = Words(
    "{outputs} cannot be told from {limit} with the digits of double precision.",
    "{outputs} ne se distinguent pas de {limit} avec les chiffres de la double précision.",
)
FROM_SCORES = Words(
    "Such an output does not tell its error; from the score z, it is:",
    "Une telle sortie ne donne pas son erreur ; à partir de la somme z, c’est :",
)
NEAR = Words(
    "Outputs so near their limit have lost the digits that this takes; the computation goes on with:",
    "Des sorties si proches de leur limite ont perdu les chiffres qu’il y faut ; le calcul continue avec :",
)
BEYOND = Words(
    "This is more than a number of double precision can be, about 1.8·10³⁰⁸; ∞ stands for it:",
    "C’est plus qu’un nombre en double précision ne peut valoir, environ 1,8·10³⁰⁸ ; ∞ en tient lieu :",
)
GRADIENT = Words("The gradient of the {tensors} of layer {l}:", "Le gradient des {tensors} de la couche {l} :")
SENT_BACK = Words(
    "What layer {l} sends back to layer {before}:", "L’erreur remonte de la couche {l} à la couche {before} :"
)

LINKED_BACK = Words(
    "The residual link brings back what reached the outputs of layer {l}:",
    "Le lien résiduel ramène ce qui est parvenu aux sorties de la couche {l} :",
)

UPDATE = Words("4. Update", "4. Mise à jour")
UPDATE_OF_EACH = Words(
    "Each parameter w moves against its gradient ({optimizer}):",
    "Chaque paramètre w descend le long de l’opposé de son gradient ({optimizer}) :",
)
A_SETTING = Words(
    "Here {letters} is a setting of the optimizer, not a number of a layer.",
    "Ici {letters} est un réglage de l’optimiseur, non un nombre d’une couche.",
)
SOME_SETTINGS = Words(
    "Here {letters} are settings of the optimizer, not numbers of a layer.",
    "Ici {letters} sont des réglages de l’optimiseur, non des nombres d’une couche.",
)
WITH_GRADIENT = Words("Here g is the gradient of w.", "Ici g est le gradient de w.")
STEP_NUMBER = Words("This is step t = {t}.", "C’est le pas t = {t}.")
FIRST_ELEMENT = Words(
    "The first of the {tensor} of layer {l}, written out:", "Le premier des {tensor} de la couche {l}, en détail :"
)
LAYER_L = Words("Layer {l}", "Couche {l}")

AFTERWARDS = Words("5. After the step", "5. Après le pas")
NEW_ERROR = Words(
    "With the new parameters the same sample gives:", "Avec les nouveaux paramètres, le même exemple donne :"
)
NEW_ERROR_OF_BATCH = Words(
    "With the new parameters the same rows give:", "Avec les nouveaux paramètres, les mêmes lignes donnent :"
)
FALLS = Words("The error falls from {before} to {after}.", "L’erreur baisse de {before} à {after}.")
FALLS_A_LITTLE = Words(
    "The error falls by {change}, from {before} to {after}.", "L’erreur baisse de {change}, de {before} à {after}."
)
RISES_A_LITTLE = Words(
    "The error rises by {change}, from {before} to {after}: the step was too long; try a smaller learning rate.",
    "L’erreur monte de {change}, de {before} à {after} : le pas était trop grand ; essayez un taux "
    "d’apprentissage plus petit.",
)
RISES = Words(
    "The error rises from {before} to {after}: the step was too long; try a smaller learning rate.",
    "L’erreur monte de {before} à {after} : le pas était trop grand ; essayez un taux d’apprentissage plus petit.",
)
NOT_FINITE = Words(
    "The error is not a finite number: the weights, the inputs or the step are too large.",
    "L’erreur n’est pas un nombre fini : les poids, les entrées ou le pas sont trop grands.",
)
STAYS = Words("The error stays at {before}.", "L’erreur reste à {before}.")
NO_GRADIENT = Words(
    "Every gradient is 0, so that the step changes nothing: the error stays at {before}.",
    "Tous les gradients sont nuls, si bien que le pas ne change rien : l’erreur reste à {before}.",
)

CURVE = Words("The error, step by step", "L’erreur, pas à pas")
STEP = Words("step", "pas")
ERROR_WORD = Words("error E", "erreur E")
IN_FULL = Words("Step {t}, in full", "Le pas {t}, en entier")

FORWARD_DRAWN = Words("The network on the way forward", "Le réseau à l’aller")
BACKWARD_DRAWN = Words("The network on the way back", "Le réseau au retour")
HOW_FORWARD = Words(
    "In each neuron z stands above a, its activation; above the neuron stands its bias, and on each line its weight. "
    "Blue is positive, orange negative.",
    "Dans chaque neurone, z est au-dessus de a, son activation ; le biais est au-dessus du neurone, et sur chaque "
    "trait son poids. Le bleu est positif, l’orange négatif.",
)
HOW_BACKWARD = Words(
    "In each neuron stands its δ; above it the derivative of E with respect to its bias, and on each line that with "
    "respect to its weight. Blue is positive, orange negative.",
    "Dans chaque neurone, son δ ; au-dessus, la dérivée de E par rapport à son biais, et sur chaque trait celle par "
    "rapport à son poids. Le bleu est positif, l’orange négatif.",
)
OF_ROW = Words(
    "The neurons have the numbers of row {r}; E is that of all {rows} rows.",
    "Les neurones ont les nombres de la ligne {r} ; E est celle des {rows} lignes.",
)
OF_ROW_BACK = Words(
    "The neurons have the numbers of row {r}; the lines have the sums over all {rows} rows.",
    "Les neurones ont les nombres de la ligne {r} ; les traits, les sommes sur les {rows} lignes.",
)
LEFT_OUT = Words("Dots stand for what is left out.", "Les points remplacent ce qui est omis.")
NOT_BY_FORMULA = Words(
    "Its formula does not give it with rounded numbers, so it is written down:",
    "Sa formule ne le donne pas avec des nombres arrondis ; il est donc écrit :",
)
SLIDES = Words("Slides", "Diapositives")
SLIDE_BACK, SLIDE_ON = Words("Back", "Précédent"), Words("Next", "Suivant")
SLIDE_OF = Words("{n} of {all}", "{n} sur {all}")
TOO_MANY_LINES = Words(
    "Where more than {most} lines lead to a layer, their numbers are not written.",
    "Où plus de {most} traits mènent à une couche, leurs nombres ne sont pas écrits.",
)
COLUMN_OF_INPUTS = Words("inputs", "entrées")
COLUMN_OF_LAYER = Words("layer {l}", "couche {l}")

COMPUTED = Words(
    "Computed by the reference engine in double precision.", "Calculé par le moteur de référence en double précision."
)
COMPUTED_EXACTLY = Words(
    "Computed with fractions, by the equations of the reference engine.",
    "Calculé avec des fractions, par les équations du moteur de référence.",
)
DIFFERENCE = Words(
    "The native engine’s output, error and gradient differ from these by at most {difference} of their largest number.",
    "La sortie, l’erreur et le gradient du moteur natif en diffèrent d’au plus {difference} de leur plus grand nombre.",
)


FORGOT_DERIVATIVE = Words(
    "the derivative of the activation function was forgotten", "la dérivée de la fonction d’activation a été oubliée"
)
SOFTMAX_ELEMENTWISE = Words(
    "the derivative was taken neuron by neuron, S_j (1 − S_j), instead of the full Jacobian matrix",
    "la dérivée a été prise neurone par neurone, S_j (1 − S_j), au lieu de la matrice jacobienne entière",
)
DERIVATIVE_OF_Z = Words(
    "the derivative was computed from the sum z instead of the value of the activation function",
    "la dérivée a été calculée avec la somme z au lieu de la valeur de la fonction d’activation",
)
SIGN_OF_UPDATE = Words(
    "the sign of the update, +γ ∂E/∂w instead of −γ ∂E/∂w", "le signe de la mise à jour, +γ ∂E/∂w au lieu de −γ ∂E/∂w"
)
SIGN_OF_ERROR = Words(
    "the sign of the error’s derivative, o* − o instead of o − o*",
    "le signe de la dérivée de l’erreur, o* − o au lieu de o − o*",
)
FORGOT_ACTIVATION = Words("the activation function was forgotten", "la fonction d’activation a été oubliée")
FORGOT_LINK = Words("the residual link was forgotten", "le lien résiduel a été oublié")
FORGOT_LINK_BACK = Words(
    "what the residual link brings back was forgotten", "ce que le lien résiduel ramène a été oublié"
)
FORGOT_HALF = Words("the factor ½ of the error was forgotten", "le facteur ½ de l’erreur a été oublié")
FORGOT_HALF_OF_DERIVATIVE = Words(
    "the 2 of the derivative of the square was not cancelled by the ½",
    "le 2 de la dérivée du carré n’a pas été simplifié avec le ½",
)
FORGOT_RATE = Words("the learning rate was forgotten", "le taux d’apprentissage a été oublié")
ONLY_THE_CHANGE = Words(
    "the change was not added to the old parameters", "la variation n’a pas été ajoutée aux anciens paramètres"
)
