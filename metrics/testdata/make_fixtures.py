#!/usr/bin/env python3
"""Makes the fixtures that hold package metrics, and those below it, to their references.

Needs Python 3, java on the PATH and, from pip:
    pycocoevalcap==1.2  nltk==3.10.4  sacrebleu==2.6.0

It writes scores.json beside itself (captions and their scores), tokens.json in
ptb/testdata (texts and coco-caption's tokens) and, in meteor/testdata, stems.json
(words and METEOR's stems) and the small METEOR data set in small/, which METEOR
1.5 itself scores with. All captions are made here, from a grammar.
"""
import gzip
import json
import math
import os
import random
import subprocess
from collections import Counter

import pycocoevalcap
import sacrebleu
from nltk.translate.bleu_score import SmoothingFunction, corpus_bleu, sentence_bleu
from pycocoevalcap.bleu.bleu import Bleu
from pycocoevalcap.cider.cider import Cider
from pycocoevalcap.meteor.meteor import Meteor
from pycocoevalcap.rouge.rouge import Rouge
from pycocoevalcap.tokenizer.ptbtokenizer import PTBTokenizer

HERE = os.path.dirname(os.path.abspath(__file__))
METRICS = os.path.dirname(HERE)
SMALL = os.path.join(METRICS, "meteor", "testdata", "small")
PACKAGE = pycocoevalcap.__path__[0]
JAR = os.path.join(PACKAGE, "meteor", "meteor-1.5.jar")
rng = random.Random(20240601)

# --- captions -------------------------------------------------------------

SUBJECTS = ["a {size} {animal}", "two {animal}s", "a {adj} {person} in a {colour} {garment}", "a group of {person}s",
            "the {person}'s {animal}", "several {adj} children", "a {person}, who isn't smiling,", "an old {person} with a {thing}",
            "{person}s and a {animal}"]
VERBS = ["is {ing} {place}", "{s} {place}", "sits {place}", "is sitting down {place} while {ing}", "stands in front of a {colour} {object}",
         "plays with a {colour} {object} {place}", "can't stop {ing} {place}", "looks at the {object}", "is {ing} and {ing}"]
WORDS = {
    "size": ["big", "large", "small", "little", "huge"], "animal": ["dog", "canine", "horse", "cat", "bird"],
    "adj": ["young", "happy", "smiling", "tired", "well-dressed"], "person": ["man", "guy", "woman", "lady", "boy", "kid", "girl"],
    "colour": ["red", "blue", "dark-green", "black and white", "yellow"], "garment": ["shirt", "t-shirt", "jacket", "coat", "hat"],
    "thing": ["camera", "stick", "ball", "guitar", "picture", "photo"], "object": ["car", "automobile", "bicycle", "bike", "boat", "house", "ball"],
    "ing": ["running", "jumping", "walking", "riding", "smiling", "taking pictures", "posing for a photo"],
    "s": ["runs", "jumps", "walks", "rides", "sleeps", "strolls"],
    "place": ["in the park", "on the grass", "near the water", "beside a lake", "on a street", "at the beach", "through deep snow", "outside"],
}


def grow(template):
    while "{" in template:
        start = template.index("{")
        end = template.index("}")
        template = template[:start] + rng.choice(WORDS[template[start + 1:end]]) + template[end + 1:]
    return template


def caption():
    text = grow(rng.choice(SUBJECTS)) + " " + grow(rng.choice(VERBS))
    return text[0].upper() + text[1:] + rng.choice([".", " .", "", "!"])


def disturb(text):
    """What a model does to a caption: words lost, changed, repeated, moved."""
    words = text.lower().rstrip(".! ").split()
    for _ in range(rng.randrange(6)):
        if not words:
            break
        i, j = rng.randrange(len(words)), rng.randrange(len(words))
        match rng.randrange(5):
            case 0:
                del words[i]
            case 1:
                words[i] = rng.choice(["a", "the", "dog", "man", "is", "with", "person", "canine", "men"])
            case 2:
                words.insert(i, words[i])
            case 3:
                words[i], words[j] = words[j], words[i]
            case 4:
                words = words[i:] + words[:i]
    return " ".join(words)


def images(n):
    out = []
    for i in range(n):
        base = caption()
        references = [base] + [caption() if rng.random() < 0.4 else disturb(base) + " ." for _ in range(rng.randint(1, 5) - 1)]
        references = [r if any(c.isalnum() for c in r) else caption() for r in references]
        candidate = disturb(rng.choice(references)) if rng.random() < 0.97 else ""
        out.append({"id": f"image-{i}", "candidate": candidate, "references": references})
    return out


# --- texts for the tokenizer ----------------------------------------------

FRAGMENTS = """a A I n y t dog Dogs it's don't DON'T n't 's 'S 're & &amp; &lt; &gt; &quot; &apos; &nbsp; &eacute; &mdash; &#39; < > << >> <b> </b>
<a\u2420href="x"> <br/> ! ? . , ; : - -- --- ---- ----- _ __ ' '' ` `` " ( ) [ ] { } / \\ \\/ * ** \\* + ++ c++ C++ C# f# $ US$ # ## % ^ ~ | = @ @foo #tag
a@b.com cnn.com CNN.com www.foo.com www.foo.co.uk/xy http://x.y/z 1 12 123 1234 12345 1/2 3/4/2005 12-12-12 5 7/8 ½ ¼ ⅓ ⅕ 1.5 1,000 .22 -5 +5
617 555-1212 (617)\u2420253-1000 555.123.4567 U.S. U.S U.S.A. a.m. p.m. e.g. i.e. Mr. Mrs. mr miss. Miss. Dr. vs. Ph.D. Ph. Ed.D. Inc. Co. Corp. Ltd
Pty. PTY. pte. Jan. jan. Sept. etc. No. no. fig. figs. p. pp. The the He About A. St. '90s '99 o'clock O'Neill D'Arcy Shi'ite c'mon y'all
Y'know l'homme d'or 'em 'til 'till 'tis 'twas 'cause cannot gonna Gotta wanna lemme gimme cont'd nor'easter e'er s'mores ev'ry li'l nat'l o'o Dunkin'
somethin' ol' n' 'n 'n' rock'n'roll AT&T AT&amp;T S&P-500 Cap'n c'est pro- anti- pro-life -LRB- -lsb- co-op e-mail 3,000-foot non-U.S. EU-U.S.
U.S.-U.K. x-U.K. a-b.c. a.b-c and/or a-b/c-d/e x_x ^_^ (^_^) (-.-) :) :-) ;-( =D <3 >:( :] file.txt foo.c a.html, b.PHP x.tar.gz ... .... . . .
\u2026 \u2013 \u2014 \u2018 \u2019 \u201c \u201d \u00ab \u00bb \u2039 \u203a \u201a \u201e \u00a3 \u20ac \u00a2 \u00a5 \u00a4 \u00a7 \u00a9 \u00b0 \u00b2 \u00d7 \u00e9 \u00c9 \u00f1 \u00df \u00c4 \u0130 \u0416 \u4e2d \u304b \ud55c \u00ad
soft\u00adhyphen \u00a0 \u2009 \u200b \ufeff e\u0301 \u2010 \u2011 \u2022 \u2192 \u2603 \U0001f600 don\u2019t dog\u2019s it\u2018s \u2018tis \u201990s""".split()


def texts():
    out = [caption() for _ in range(60)]
    for _ in range(700):
        out.append("".join(rng.choice(FRAGMENTS).replace("\u2420", " ") + rng.choice(["", " ", " "]) for _ in range(rng.randint(1, 8))))
    # A tag that is not closed would reach into the next line.
    return [t for t in out if t.strip() and t.count("<") == t.count(">")]


def tokenize(lines):
    """Tokens of each line alone: lines of one neutral word keep them apart."""
    spaced = [{"caption": t} for line in lines for t in (line, "zzz")]
    return [t.split(" ") if t else [] for t in PTBTokenizer().tokenize({0: spaced})[0][::2]]


# --- stems ----------------------------------------------------------------

def stems():
    roots = """run jump walk smile happy child photo play stop hop agree rate size relate nation rational operate hope sky skies dying lying tying
    idly gently ugly early only singly news howe atlas cosmos bias andes inning proceed exceed succeed generate communism arsenal general y yes
    say boy toy cry try beauty able ease feed bleed sing ring bee fizz full tell controll roll press caress tie die gas this us bus kiwi gap
    hesitance adjust replace comfort depend irrit activ effect defens adopt homolog commun analog apolog logist vile vilely quick fluent""".split()
    endings = ["", "s", "es", "ed", "ing", "ings", "er", "est", "ly", "ness", "ful", "fully", "fulness", "less", "lessly", "ation", "ational",
               "ization", "izer", "ize", "al", "ally", "alism", "ality", "ous", "ously", "ousness", "ive", "ively", "iveness", "ivity", "able",
               "ably", "ability", "ible", "ement", "ment", "ent", "ently", "ence", "ency", "ance", "ancy", "ant", "ism", "ate", "ator", "icate",
               "ative", "iciti", "ical", "ion", "y", "ies", "ied", "eed", "eedly", "edly", "ingly", "'s", "'s'", "'", "bli", "ogi", "li", "ll", "e"]
    words = sorted({r + e for r in roots for e in endings} | {"'tis", "''", "'s", "n't", "caf\u00e9s", "na\u00efvely", "\u00e9t\u00e9s", "y", "yy", "ayy", "sayyed"})
    result = subprocess.run(["java", "-Dfile.encoding=UTF-8", "-cp", JAR, "Stemmer", "en"], input="\n".join(words), text=True,
                            capture_output=True, encoding="utf-8", check=True)
    return dict(zip(words, [s.strip() for s in result.stdout.split("\n")]))


# --- METEOR ---------------------------------------------------------------

FUNCTION_WORDS = ["the", "a", "of", "is", "in", "on", "at", "with", "and", "'s", "'"]
SYNSETS = {"dog": [1, 2], "canine": [2], "big": [3], "large": [3, 4], "huge": [4], "picture": [5], "photo": [5], "man": [6], "guy": [6, 7],
           "person": [6, 8, 9], "woman": [8], "lady": [8], "kid": [10], "child": [10], "boy": [10], "walk": [11], "stroll": [11], "jump": [12],
           "car": [13], "automobile": [13], "bicycle": [14], "bike": [14], "smile": [15], "smiling": [15], "near_to": [16]}
EXCEPTIONS = {"man": ["men"], "child": ["children"], "person": ["people", "persons"], "sit": ["sat", "sitting"]}
PARAPHRASES = [("a", "one"), ("a big", "a large"), ("a group of", "several"), ("beside", "near"), ("beside", "next to"), ("in front of", "before"),
               ("in front of a", "near the"), ("is riding", "rides"), ("near", "beside"), ("one", "a"), ("rides", "is riding"), ("several", "a group of"),
               ("several", "some"), ("the dog", "the canine"), ("the water", "a lake"), ("the water", "the lake")]


def write_meteor_data():
    def write(name, text):
        path = os.path.join(SMALL, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
    write("function/english.words", "".join(w + "\n" for w in FUNCTION_WORDS))
    write("nonbreaking/english.prefixes", "# words that keep their period\nMr\nNo #NUMERIC_ONLY#\n\n")
    write("synonym/english.synsets", "".join(f"{w}\n{' '.join(map(str, s))}\n" for w, s in SYNSETS.items()))
    write("synonym/english.exceptions", "".join(f"{w}\n{' '.join(f)}\n" for w, f in EXCEPTIONS.items()))
    os.makedirs(os.path.join(SMALL, "data"), exist_ok=True)
    with open(os.path.join(SMALL, "data", "paraphrase-en.gz"), "wb") as f:
        with gzip.GzipFile(filename="", mode="wb", fileobj=f, mtime=0) as z:
            z.write("".join(f"0.5\n{a}\n{b}\n" for a, b in PARAPHRASES).encode())


def meteor(references, candidates, options=()):
    """Runs METEOR through pycocoevalcap, with further options for the jar."""
    m = Meteor.__new__(Meteor)
    m.__init__()
    if options:
        command = m.meteor_cmd + list(options)
        m.meteor_p.kill()
        m.meteor_p = subprocess.Popen(command, cwd=os.path.join(PACKAGE, "meteor"), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    return m.compute_score(references, candidates)


# --- scores ---------------------------------------------------------------

def plain_cider(references, candidates):
    """CIDEr as Vedantam et al. 2015 define it in section 5, without stems."""
    def grams(s, n):
        w = s.split()
        return Counter(tuple(w[i:i + n]) for i in range(len(w) - n + 1))
    result = {}
    for n in range(1, 5):
        df = Counter(g for refs in references.values() for g in {g for r in refs for g in grams(r, n)})

        def vector(s):
            return {g: c * (math.log(len(references)) - math.log(max(1, df[g]))) for g, c in grams(s, n).items()}
        for key, refs in references.items():
            c = vector(candidates[key][0])
            total = 0
            for r in refs:
                v = vector(r)
                norm = math.sqrt(sum(x * x for x in c.values())) * math.sqrt(sum(x * x for x in v.values()))
                if norm:
                    total += sum(x * v.get(g, 0) for g, x in c.items()) / norm
            result[key] = result.get(key, 0) + 10 / 4 * total / len(refs)
    return result


def scores():
    items = images(160)
    flat = tokenize([t for i in items for t in [i["candidate"]] + i["references"]])
    references, candidates = {}, {}
    for i in items:
        n = 1 + len(i["references"])
        candidates[i["id"]] = [" ".join(flat[0])]
        references[i["id"]] = [" ".join(t) for t in flat[1:n]]
        flat = flat[n:]
    corpus, each = {}, {k: {} for k in references}

    def keep(key, total, values):
        corpus[key] = float(total)
        for k, v in zip(references, values):
            each[k][key] = float(v)
    totals, values = Bleu(4).compute_score(references, candidates, verbose=0)
    for n in range(4):
        keep(f"bleu{n + 1}", totals[n], values[n])
    keep("rouge_l", *Rouge().compute_score(references, candidates))
    keep("cider", *Cider().compute_score(references, candidates))
    plain = list(plain_cider(references, candidates).values())
    keep("cider_plain", sum(plain) / len(plain), plain)
    keep("meteor", *meteor(references, candidates))
    keep("meteor_small", *meteor(references, candidates, [
        "-s", os.path.join(SMALL, "function/english.words"), "-d", os.path.join(SMALL, "synonym"),
        "-a", os.path.join(SMALL, "data/paraphrase-en.gz")]))
    keep("meteor_exact_stem", *meteor(references, candidates, [
        "-m", "exact stem", "-s", os.path.join(METRICS, "meteor", "exact_stem.words")]))

    # NLTK takes at least one n-gram of each order for guessed, so that it
    # agrees with BLEU's other implementations from four words on.
    long = [k for k in references if len(candidates[k][0].split()) >= 4]
    hypotheses = [candidates[k][0].split() for k in long]
    targets = [[r.split() for r in references[k]] for k in long]
    weights = [(1, 0, 0, 0), (1 / 2, 1 / 2, 0, 0), (1 / 3, 1 / 3, 1 / 3, 0), (1 / 4, 1 / 4, 1 / 4, 1 / 4)]
    for n in range(4):
        corpus[f"nltk_bleu{n + 1}"] = corpus_bleu(targets, hypotheses, weights[n])
    for name, smooth in (("epsilon", SmoothingFunction().method1), ("add-one", SmoothingFunction().method2)):
        for n in range(4):
            values = [sentence_bleu(t, h, weights[n], smooth) for t, h in zip(targets, hypotheses)]
            corpus[f"nltk_{name}{n + 1}"] = sum(values) / len(values)
    corpus["nltk_tutorial3"] = corpus_bleu(targets, hypotheses, (0.3, 0.3, 0.3, 0))
    corpus["nltk_single2"] = corpus_bleu(targets, hypotheses, (0, 1, 0, 0))
    corpus["nltk_characters2"] = corpus_bleu([references[k] for k in long], [candidates[k][0] for k in long], weights[1])
    strings = list(references.values())
    most = max(map(len, strings))
    streams = [[s[k] if k < len(s) else None for s in strings] for k in range(most)]
    corpus["sacrebleu4"] = sacrebleu.corpus_bleu([candidates[k][0] for k in references], streams, tokenize="none", smooth_method="none").score / 100
    return {"items": items, "corpus": corpus, "images": each}


def save(value, *path):
    with open(os.path.join(METRICS, *path), "w", encoding="utf-8") as f:
        json.dump(value, f, ensure_ascii=False, indent=0)
        f.write("\n")


if __name__ == "__main__":
    lines = texts()
    save([{"text": t, "tokens": k} for t, k in zip(lines, tokenize(lines))], "ptb", "testdata", "tokens.json")
    save(stems(), "meteor", "testdata", "stems.json")
    write_meteor_data()
    save(scores(), "testdata", "scores.json")
