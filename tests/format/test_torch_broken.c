/* Hostile PyTorch files: what each is refused with, and at which byte. Archives are built in memory. */
#include "../check.h"

#include "base/file.h"
#include "format/tensors.h"
#include "torch_build.h"

/* Pieces of a pickle of protocol 2, as Python writes them. Hexadecimal escapes end at the string's end. */
#define HEAD "\x80\2"
#define TEXT(size, text) "X" size "\0\0\0" text
#define MAKE "ctorch._utils\n_rebuild_tensor_v2\n("
#define STORAGE(class, key, count) "(" TEXT("\7", "storage") "ctorch\n" class "\n" key TEXT("\3", "cpu") count "t"
#define KEY0 TEXT("\1", "0")
#define FLOATS STORAGE("FloatStorage", KEY0, "K\4") "Q"
#define TENSOR(offset, sizes, strides)                                                                                 \
    MAKE FLOATS offset sizes strides "\x89"                                                                            \
                                     "}t"
#define PAIR "K\2K\2\x86"
#define GOOD TENSOR("K\0", PAIR, "K\2K\1\x86") "R"
#define NAMED HEAD "}" TEXT("\1", "w")
/* PyTorch 2's spellings. */
#define UNTYPED(bytes)                                                                                                 \
    "(" TEXT("\7", "storage") "ctorch.storage\nUntypedStorage\n" KEY0 TEXT("\3", "cpu") bytes "tQ"
#define TYPED(storage, type)                                                                                           \
    "ctorch._utils\n_rebuild_tensor_v3\n(" storage "K\0" PAIR "K\2K\1\x86\x89}" type "t"
#define FROM_TYPE "ctorch._tensor\n_rebuild_from_type_v2\n("

#define BYTES(text)                                                                                                    \
    {                                                                                                                  \
        text, sizeof(text) - 1                                                                                         \
    }
typedef struct bytes {
    const char *at;
    size_t size;
} bytes;

/* `before` is fine, the opcode at the beginning of `bad` is refused: at byte before.size of data.pkl. */
typedef struct pickle_case {
    bytes before, bad;
    const char *words;
} pickle_case;

static const pickle_case pickles[] = {
    /* names */
    {BYTES(NAMED), BYTES("cos\nsystem\n(" TEXT("\2", "ls") "tRs."), "'os.system' is not allowed"},
    {BYTES(NAMED), BYTES("cbuiltins\neval\n."), "'builtins.eval' is not allowed"},
    {BYTES(NAMED), BYTES("ctorch._utils\n_rebuild_tensor\n."), "'torch._utils._rebuild_tensor' is not allowed"},
    {BYTES(NAMED), BYTES("ctorch\nComplexFloatStorage\n."), "'torch.ComplexFloatStorage' is not allowed"},
    {BYTES(NAMED), BYTES("ctorch\nload\n."), "'torch.load' is not allowed"},
    {BYTES(NAMED), BYTES("ccollections\nOrderedDict2\n."), "not allowed"},
    {BYTES(NAMED), BYTES("ccollections.OrderedDict\n\n."), "not allowed"},
    {BYTES(NAMED), BYTES("c\n\n."), "not allowed"},
    {BYTES(NAMED),
     BYTES("c"
           "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
           "\ny\n."),
     "global name of 103 bytes"},
    {BYTES(NAMED), BYTES("cno line"), "ends in the middle"},
    /* opcodes that could do more, or that weights do not need */
    {BYTES(HEAD "("), BYTES("ios\nsystem\n."), "0x69 (INST)"},
    {BYTES(HEAD "}("), BYTES("o."), "0x6f (OBJ)"},
    {BYTES(HEAD "})"), BYTES("\x81."), "0x81 (NEWOBJ)"},
    {BYTES(HEAD), BYTES("\x82\1."), "0x82 (EXT1)"},
    {BYTES(HEAD), BYTES("\x93."), "0x93 (STACK_GLOBAL)"},
    {BYTES(HEAD), BYTES("\x95\0\0\0\0\0\0\0\0."), "0x95 (FRAME)"},
    {BYTES(HEAD), BYTES("P1\n."), "0x50 (PERSID)"},
    {BYTES(HEAD "}"), BYTES("2."), "0x32 (DUP)"},
    {BYTES(HEAD "}"), BYTES("0."), "0x30 (POP)"},
    {BYTES(HEAD), BYTES("S'x'\n."), "0x53 (STRING)"},
    {BYTES(HEAD), BYTES("\xff."), "0xff (unknown)"},
    {BYTES(HEAD "}}"), BYTES("b."), "BUILD gives state to a dictionary"},
    {BYTES(HEAD "]}" TEXT("\11", "_metadata") "}s"), BYTES("b."), "BUILD gives state to a list"},
    {BYTES(HEAD "}}" TEXT("\11", "__class__") "}s"), BYTES("b."), "only \"_metadata\""},
    {BYTES(HEAD "}}" TEXT("\11", "_metadata") "K\1s"), BYTES("b."), "only \"_metadata\""},
    {BYTES(HEAD GOOD "}" TEXT("\11", "_metadata") "}s"), BYTES("b."), "BUILD gives state to a tensor"},
    /* calls */
    {BYTES(HEAD "})"), BYTES("R."), "REDUCE calls a dictionary with a tuple"},
    {BYTES(HEAD TEXT("\2", "ls") ")"), BYTES("R."), "REDUCE calls a text"},
    {BYTES(HEAD "ccollections\nOrderedDict\n]"), BYTES("R."), "with a list"},
    {BYTES(HEAD "ccollections\nOrderedDict\n]\x85"), BYTES("R."), "OrderedDict with 1 values"},
    {BYTES(HEAD "ctorch\nFloatStorage\n)"), BYTES("R."), "a type or a storage is called"},
    {BYTES(HEAD ")"), BYTES("R."), "empty stack"},
    {BYTES(HEAD "ctorch._utils\n_rebuild_tensor_v2\n)"), BYTES("R."), "with 0 values"},
    {BYTES(HEAD "ctorch._utils\n_rebuild_tensor_v2\n(NNNNNNt"), BYTES("R."), "no storage"},
    {BYTES(HEAD "ctorch._utils\n_rebuild_parameter\n}\x88}\x87"), BYTES("R."), "_rebuild_parameter of"},
    {BYTES(HEAD "ctorch._utils\n_rebuild_parameter\n(" GOOD "\x88}}t"), BYTES("R."), "_rebuild_parameter of"},
    {BYTES(HEAD "ctorch._utils\n_rebuild_parameter\n" GOOD "\x88}" TEXT("\1", "a") "}s\x87"), BYTES("R."), "no hooks"},
    {BYTES(HEAD "ctorch._utils\n_rebuild_parameter\n" FLOATS "\x88}\x87"), BYTES("R."), "_rebuild_parameter of"},
    {BYTES(HEAD "ctorch._utils\n_rebuild_parameter_with_state\n" GOOD "\x88}\x87"), BYTES("R."), "_rebuild_parameter of"},
    {BYTES(HEAD "ctorch\nfloat32\n)"), BYTES("R."), "a type or a storage is called"},
    {BYTES(HEAD TYPED(UNTYPED("K\20"), "ctorch\nFloatStorage\n")), BYTES("R."), "without a type"},
    {BYTES(HEAD TYPED(UNTYPED("K\20"), "N")), BYTES("R."), "without a type"},
    {BYTES(HEAD TYPED(FLOATS, "ctorch\nfloat32\n")), BYTES("R."), "no UntypedStorage"},
    {BYTES(HEAD TYPED(UNTYPED("K\20"), "ctorch\nfloat64\n")), BYTES("R."), "end at 4 of its storage, which has 2"},
    {BYTES(HEAD "ctorch._utils\n_rebuild_tensor_v3\n)"), BYTES("R."), "_rebuild_tensor_v3 with 0 values"},
    {BYTES(HEAD FROM_TYPE "ctorch._tensor\n_rebuild_from_type_v2\nctorch\nTensor\n)}t"), BYTES("R."), "_rebuild_from_type_v2 of"},
    {BYTES(HEAD FROM_TYPE "ctorch._utils\n_rebuild_tensor_v2\nctorch\nFloatStorage\n)}t"), BYTES("R."), "_rebuild_from_type_v2 of"},
    {BYTES(HEAD FROM_TYPE "ctorch._utils\n_rebuild_tensor_v2\nctorch\nTensor\n)}t"), BYTES("R."), "v2 with 0 values"},
    {BYTES(HEAD MAKE FLOATS "K\0" PAIR PAIR "\x89"
                            "}" TEXT("\1", "a") "}st"),
     BYTES("R."), "a tensor with hooks"},
    {BYTES(HEAD MAKE FLOATS "K\0" PAIR PAIR "K\0}t"), BYTES("R."), "a tensor with hooks"},
    {BYTES(HEAD MAKE FLOATS "K\0" PAIR "K\2K\1\x86\x89"
                            "}}" TEXT("\4", "conj") "\x88st"),
     BYTES("R."), "conjugated"},
    {BYTES(HEAD MAKE FLOATS "K\0" PAIR "K\2K\1\x86\x89"
                            "}}}t"),
     BYTES("R."), "with 8 values"},
    /* storages */
    {BYTES(HEAD STORAGE("FloatStorage", TEXT("\1", "7"), "K\4")), BYTES("Q."), "'m/data/7' is not in the archive"},
    {BYTES(HEAD STORAGE("FloatStorage", TEXT("\12", "../version"), "K\4")), BYTES("Q."), "is not in the archive"},
    {BYTES(HEAD STORAGE("FloatStorage", TEXT("\0", ""), "K\4")), BYTES("Q."), "'m/data/' is not in the archive"},
    {BYTES(HEAD STORAGE("FloatStorage", KEY0, "K\5")), BYTES("Q."), "5 elements of F32, its entry has 16 bytes"},
    {BYTES(HEAD STORAGE("FloatStorage", KEY0, "K\3")), BYTES("Q."), "3 elements of F32, its entry has 16 bytes"},
    {BYTES(HEAD STORAGE("DoubleStorage", KEY0, "K\4")), BYTES("Q."), "4 elements of F64, its entry has 16 bytes"},
    {BYTES(HEAD STORAGE("FloatStorage", KEY0, "J\xff\xff\xff\xff")), BYTES("Q."), "a persistent id that is not"},
    {BYTES(HEAD STORAGE("FloatStorage", KEY0, "\x8a\10\4\0\0\0\0\0\0\x40")), BYTES("Q."), "elements of F32"},
    {BYTES(HEAD STORAGE("FloatStorage", KEY0, TEXT("\1", "4"))), BYTES("Q."), "a persistent id that is not"},
    {BYTES(HEAD "(" TEXT("\6", "module") "ctorch\nFloatStorage\n" KEY0 TEXT("\3", "cpu") "K\4t"), BYTES("Q."),
     "persistent id"},
    {BYTES(HEAD "(" TEXT("\7", "storage") "ccollections\nOrderedDict\n" KEY0 TEXT("\3", "cpu") "K\4t"), BYTES("Q."),
     "persistent id"},
    {BYTES(HEAD "(" TEXT("\7", "storage") "ctorch\nFloatStorage\n" KEY0 TEXT("\3", "cpu") "K\4Nt"), BYTES("Q."),
     "persistent id"},
    {BYTES(HEAD "K\1"), BYTES("Q."), "persistent id"},
    {BYTES(HEAD), BYTES("Q."), "empty stack"},
    /* views */
    {BYTES(HEAD TENSOR("K\1", PAIR, "K\2K\1\x86")), BYTES("R."), "elements end at 5 of its storage, which has 4"},
    {BYTES(HEAD TENSOR("K\0", PAIR, "K\3K\1\x86")), BYTES("R."), "elements end at 5 of its storage, which has 4"},
    {BYTES(HEAD TENSOR("K\5", "K\0\x85", "K\1\x85")), BYTES("R."), "elements end at 5 of its storage, which has 4"},
    {BYTES(HEAD TENSOR("J\xff\xff\xff\xff", PAIR, "K\2K\1\x86")), BYTES("R."), "offset must be a whole number >= 0"},
    {BYTES(HEAD TENSOR("N", PAIR, "K\2K\1\x86")), BYTES("R."), "offset must be a whole number >= 0"},
    {BYTES(HEAD TENSOR("K\1", PAIR, "J\xff\xff\xff\xffK\1\x86")), BYTES("R."), "strides: number 0 is negative"},
    {BYTES(HEAD TENSOR("K\0", "K\2J\xff\xff\xff\xff\x86", "K\2K\1\x86")), BYTES("R."), "sizes: number 1 is negative"},
    {BYTES(HEAD TENSOR("K\0", "K\2\x88\x86", "K\2K\1\x86")), BYTES("R."), "number 1 is a truth value"},
    {BYTES(HEAD TENSOR("K\0", PAIR, "\x8a\10\xff\xff\xff\xff\xff\xff\xff\x7fK\1\x86")), BYTES("R."),
     "of its storage, which has 4"},
    {BYTES(HEAD TENSOR("K\0", "K\4K\2\x86", "\x8a\10\xff\xff\xff\xff\xff\xff\xff\x7fK\1\x86")), BYTES("R."),
     "more bytes than memory"},
    {BYTES(HEAD TENSOR("\x8a\10\xff\xff\xff\xff\xff\xff\xff\x7f", PAIR,
                       "\x8a\10\xff\xff\xff\xff\xff\xff\xff\x7f\x8a\10\xff\xff\xff\xff\xff\xff\xff\x7f\x86")),
     BYTES("R."), "more bytes than memory"},
    {BYTES(HEAD TENSOR("K\0", "\x8a\10\0\0\0\0\0\0\0\x40K\4\x86", "K\0K\1\x86")), BYTES("R."),
     "more elements than memory"},
    {BYTES(HEAD TENSOR("K\0", "J\0\0\0\x40K\4\x86", "K\0K\1\x86")), BYTES("R."), "not contiguous come to more than"},
    {BYTES(HEAD TENSOR("K\0", PAIR, "K\1\x85")), BYTES("R."), "2 sizes and 1 strides"},
    {BYTES(HEAD TENSOR("K\0", "K\2", "K\1\x85")), BYTES("R."), "sizes must be a tuple"},
    {BYTES(HEAD TENSOR("K\0", "(K\1K\1K\1K\1K\1K\1K\1K\1K\1t", "K\1\x85")), BYTES("R."), "at most 8 numbers"},
    /* stack, marks, memo */
    {BYTES(HEAD), BYTES("t."), "there is none"},
    {BYTES(HEAD), BYTES("s."), "empty stack"},
    {BYTES(HEAD "}K\1"), BYTES("s."), "empty stack"},
    {BYTES(HEAD "}(" TEXT("\1", "w")), BYTES("u."), "a key without a value"},
    {BYTES(HEAD "}K\1("), BYTES("s."), "empty stack"},
    {BYTES(HEAD "}"), BYTES("u."), "there is none"},
    {BYTES(HEAD "K\1(K\1K\2"), BYTES("u."), "entries are put into a number"},
    {BYTES(HEAD "](K\1K\2"), BYTES("u."), "entries are put into a list"},
    {BYTES(HEAD "}(K\1K\2"), BYTES("e."), "entries are put into a dictionary"},
    {BYTES(HEAD "}N"
                "K\2"),
     BYTES("s."), "nothing as a key"},
    {BYTES(HEAD "})"
                "K\2"),
     BYTES("s."), "a tuple as a key"},
    {BYTES(HEAD), BYTES("\x85."), "a tuple of 1 values, the stack holds 0"},
    {BYTES(HEAD "NN(N"), BYTES("\x87."), "a tuple of 3 values, the stack holds 1"},
    {BYTES(HEAD), BYTES("q\0."), "empty stack"},
    {BYTES(HEAD "}"), BYTES("q\1."), "memo number 1, the next one is 0"},
    {BYTES(HEAD "}"), BYTES("r\xff\xff\xff\xff."), "memo number 4294967295, the next one is 0"},
    {BYTES(HEAD "}q\0"), BYTES("h\1."), "memo number 1 was never given"},
    {BYTES(HEAD), BYTES("j\0\0\0\0."), "memo number 0 was never given"},
    {BYTES(HEAD),
     BYTES("\x8a\11"
           "123456789."),
     "a number of 9 bytes"},
    {BYTES(HEAD), BYTES("X\2\0\0\0\xc3("), "not UTF-8"},
    {BYTES(HEAD),
     BYTES("X\xff\xff\xff\xff"
           "a."),
     "ends in the middle"},
    {BYTES(HEAD), BYTES("K"), "ends in the middle"},
    {BYTES(HEAD), BYTES(""), "ends in the middle"},
    {BYTES(HEAD), BYTES("."), "STOP with 0 values"},
    {BYTES(HEAD "}}"), BYTES("."), "STOP with 2 values"},
    {BYTES(HEAD "}("), BYTES("."), "1 marks left"},
    {BYTES(HEAD "}"), BYTES("..."), "2 bytes follow"},
    {BYTES(""), BYTES("\x80\4\x95."), "pickle protocol 4"},
    {BYTES(""), BYTES("\x80\1}."), "pickle protocol 1"},
    {BYTES(""), BYTES("}."), "does not begin with PROTO"},
    {BYTES(""), BYTES(""), "does not begin with PROTO"},
};

static void refuse_pickle(const char *pickle, size_t size, const char *place, const char *words)
{
    flaw_error err = {0};
    flaw_tensors t = {.count = 77};
    built z = build_torch(pickle, size);
    assert_false(z.file.failed);
    assert_int_equal(flaw_torch_parse(&t, (uint8_t *)z.file.data, z.file.size, "m.pt", &err), FLAW_BAD_DATA);
    assert_contains(err.text, place);
    if (words) assert_contains(err.text, words);
    assert_int_equal(t.count, 77);
    flaw_buffer_release(&z.file);
}

static void test_pickles(void **state)
{
    for (size_t i = 0; i < sizeof pickles / sizeof pickles[0]; i++) {
        const pickle_case *c = &pickles[i];
        char all[1024], place[64];
        memcpy(all, c->before.at, c->before.size);
        memcpy(all + c->before.size, c->bad.at, c->bad.size);
        snprintf(place, sizeof place, "m.pt: data.pkl byte %zu: ", c->before.size);
        print_message("case %zu: %s\n", i, c->words);
        refuse_pickle(all, c->before.size + c->bad.size, place, c->words);
    }
}

/* Read without complaint, but not what is wanted. */
static void test_other_values(void **state)
{
    static const struct {
        bytes pickle;
        const char *words;
    } cases[] = {
        {BYTES(HEAD "."), "STOP with 0"},
        {BYTES(HEAD "N."), "holds nothing, expected is a dictionary"},
        {BYTES(HEAD "]."), "holds a list"},
        {BYTES(HEAD GOOD "."), "holds a tensor without a name"},
        {BYTES(HEAD FLOATS "."), "holds a tensor or storage"},
        {BYTES(NAMED "K\3s."), "'w' is a number, expected is a tensor"},
        {BYTES(NAMED "}s."), "'w' is a dictionary"},
        {BYTES(NAMED FLOATS "s."), "'w' is a tensor or storage"},
        {BYTES(HEAD "}q\0" TEXT("\1", "w") "h\0s."), "'w' is a dictionary"},
        {BYTES(HEAD "}K\1" GOOD "s."), "entry 0 is not named"},
        {BYTES(HEAD "}" TEXT("\3", "w\0x") GOOD "s."), "entry 0 is not named"},
        {BYTES(NAMED GOOD "s" TEXT("\1", "w") GOOD "s."), "'w' comes twice"},
        {BYTES(HEAD "}" TEXT("\5", "model") "}" TEXT("\1", "w") "K\3ss."), "'w' is a number"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        print_message("%s\n", cases[i].words);
        refuse_pickle(cases[i].pickle.at, cases[i].pickle.size, "m.pt", cases[i].words);
    }
}

/* `count` times one opcode after the head. */
static void refuse_many(const char *op, size_t op_size, size_t count, const char *words)
{
    flaw_buffer b;
    flaw_buffer_init(&b, (size_t)1 << 28);
    flaw_buffer_append(&b, HEAD, 2);
    for (size_t i = 0; i < count; i++) flaw_buffer_append(&b, op, op_size);
    flaw_buffer_append(&b, ".", 1);
    assert_false(b.failed);
    refuse_pickle(b.data, b.size, "m.pt: data.pkl", words);
    flaw_buffer_release(&b);
}

static void test_bombs(void **state)
{
    refuse_many("N", 1, 70000, "byte 65538: more than 65536 values on the stack");
    refuse_many("(", 1, 2000, "byte 1026: more than 1024 marks");
    refuse_many(")\x85\x85\x85\x85\x85\x85\x85\x85\x85", 10, 1000, "STOP with 1000 values");
    refuse_many("N", 1, (size_t)17 << 20, "allowed are 16777216");
}

/* A tuple of a tuple of a tuple: nothing here goes down into it. */
static void test_depth(void **state)
{
    const size_t depth = 300000;
    char *pickle = malloc(depth + 4);
    memcpy(pickle, HEAD ")", 3);
    memset(pickle + 3, 0x85, depth);
    pickle[depth + 3] = '.';
    refuse_pickle(pickle, depth + 4, "m.pt: ", "holds a tuple");
    free(pickle);
}

#define MODEL NAMED GOOD "s."
#define WITH_STATE "ctorch._utils\n_rebuild_parameter_with_state\n(" GOOD "\x88}}" TEXT("\1", "a") "\x89st"
#define VALUES "(" FLOATS "K\0" PAIR "K\2K\1\x86\x89}t"

/* One tensor 'w' of 2 x 2 floats, in each way of writing it. */
static void test_good(void **state)
{
    static const bytes good[] = {
        BYTES(MODEL),
        BYTES(NAMED TYPED(UNTYPED("K\20"), "ctorch\nfloat32\n") "Rs."),
        BYTES(NAMED WITH_STATE "Rs."),
        BYTES(NAMED FROM_TYPE "ctorch._utils\n_rebuild_tensor_v2\nctorch\nTensor\n" VALUES "}tRs."),
        BYTES(HEAD "}" TEXT("\10", "module.w") GOOD "s."),
        BYTES(HEAD "}" TEXT("\6", "module") "}" TEXT("\1", "w") GOOD "ss."),
        BYTES(HEAD "}" TEXT("\20", "model_state_dict") "}" TEXT("\1", "w") GOOD "ss."),
    };
    static const float numbers[4] = {0, 1, 2, 3};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        flaw_error err = {0};
        flaw_tensors t;
        built z = build_torch(good[i].at, good[i].size);
        assert_ok(flaw_torch_parse(&t, (uint8_t *)z.file.data, z.file.size, "m.pt", &err));
        assert_int_equal(t.count, 1);
        assert_string_equal(t.item[0].name, "w");
        assert_int_equal(t.item[0].dtype, FLAW_DTYPE_F32);
        assert_int_equal(t.item[0].count, 4);
        assert_memory_equal(t.item[0].data, numbers, sizeof numbers);
        flaw_tensors_close(&t);
        flaw_buffer_release(&z.file);
    }
}

/* "module." goes only where every name has it. */
static void test_prefix(void **state)
{
    static const char model[] = HEAD "}" TEXT("\10", "module.w") GOOD "s" TEXT("\1", "v") GOOD "s.";
    flaw_error err = {0};
    flaw_tensors t;
    built z = build_torch(model, sizeof model - 1);
    assert_ok(flaw_torch_parse(&t, (uint8_t *)z.file.data, z.file.size, "m.pt", &err));
    assert_non_null(flaw_tensors_find(&t, "module.w"));
    assert_non_null(flaw_tensors_find(&t, "v"));
    flaw_tensors_close(&t);
    flaw_buffer_release(&z.file);
}

/* Archives that lie: bytes of a good one changed. */
typedef enum region { LOCAL, CENTRAL, END, DATA } region;
typedef struct zip_case {
    region place;
    int entry; /* 0: data.pkl, 1: data/0 ... */
    size_t at; /* within the header */
    bytes with;
    region said; /* where the message says that the lie is */
    const char *words;
} zip_case;

static const zip_case zips[] = {
    {END, 0, 0, BYTES("PK\5\7"), DATA, "no end record"},
    {END, 0, 4, BYTES("\1\0"), END, "several files"},
    {END, 0, 6, BYTES("\1\0"), END, "several files"},
    {END, 0, 8, BYTES("\3\0"), END, "several files"},
    {END, 0, 8, BYTES("\3\0\3\0"), CENTRAL, "bytes after its last entry"},
    {END, 0, 8, BYTES("\5\0\5\0"), END, "5 entries claimed, the directory's 219 bytes hold 4 at most"},
    {END, 0, 8, BYTES("\xff\xff\xff\xff"), END, "65535 entries claimed"},
    {END, 0, 12, BYTES("\0\0\0\0"), END, "must end here"},
    {END, 0, 12, BYTES("\xff\xff\xff\x7f"), END, "must end here"},
    {END, 0, 16, BYTES("\0\0\0\0"), END, "must end here"},
    {END, 0, 16, BYTES("\xff\xff\xff\xff"), END, "from byte 4294967295 on"},
    {END, 0, 20, BYTES("\1\0"), DATA, "no end record"},
    {CENTRAL, 1, 0, BYTES("PK\1\3"), CENTRAL, "no entry of the directory here"},
    {CENTRAL, 1, 8, BYTES("\1\0"), CENTRAL, "'m/data/0': it is encrypted"},
    {CENTRAL, 1, 8, BYTES("\2\0"), LOCAL, "its local header and the directory disagree"},
    {CENTRAL, 1, 10, BYTES("\10\0"), CENTRAL, "'m/data/0' is compressed (method 8)"},
    {CENTRAL, 1, 16, BYTES("\1\1\1\1"), LOCAL, "disagree"},
    {CENTRAL, 1, 20, BYTES("\21\0\0\0"), CENTRAL, "two different sizes"},
    {CENTRAL, 1, 24, BYTES("\17\0\0\0"), CENTRAL, "two different sizes"},
    {CENTRAL, 1, 20, BYTES("\21\0\0\0\21\0\0\0"), LOCAL, "disagree"},
    {CENTRAL, 1, 20, BYTES("\xff\xff\xff\xff\xff\xff\xff\xff"), CENTRAL, "ZIP64 numbers are missing"},
    {CENTRAL, 1, 28, BYTES("\xff\xff"), CENTRAL, "past the directory's end"},
    {CENTRAL, 3, 28, BYTES("\12\0"), CENTRAL, "past the directory's end"},
    {CENTRAL, 3, 30, BYTES("\1\0"), CENTRAL, "past the directory's end"},
    {CENTRAL, 3, 32, BYTES("\1\0"), CENTRAL, "past the directory's end"},
    {CENTRAL, 1, 34, BYTES("\1\0"), CENTRAL, "it lies in another file"},
    {CENTRAL, 1, 42, BYTES("\0\0\0\0"), DATA, "byte 0: entry 'm/data/0': its local header has another name"},
    {CENTRAL, 1, 42, BYTES("\1\0\0\0"), DATA, "byte 1: entry 'm/data/0': the directory says that it begins here, but"},
    {CENTRAL, 1, 42, BYTES("\xfe\xff\xff\xff"), DATA, "byte 4294967294: entry 'm/data/0': the directory says"},
    {CENTRAL, 1, 46, BYTES("m/data/1"), LOCAL, "another name"},
    {LOCAL, 1, 0, BYTES("PK\3\5"), LOCAL, "but no entry does"},
    {LOCAL, 1, 6, BYTES("\1\0"), LOCAL, "disagree"},
    {LOCAL, 1, 8, BYTES("\10\0"), LOCAL, "disagree"},
    {LOCAL, 1, 14, BYTES("\0\0\0\0"), LOCAL, "disagree"},
    {LOCAL, 1, 18, BYTES("\21\0\0\0"), LOCAL, "disagree"},
    {LOCAL, 1, 22, BYTES("\0\0\0\0"), LOCAL, "disagree"},
    {LOCAL, 1, 18, BYTES("\xff\xff\xff\xff"), LOCAL, "ZIP64 numbers of its local header are missing"},
    {LOCAL, 1, 26, BYTES("\xff\xff"), LOCAL, "goes past the entries"},
    {LOCAL, 1, 26, BYTES("\7\0"), LOCAL, "another name"},
    {LOCAL, 3, 28, BYTES("\3\0"), LOCAL, "goes past the entries"},
    {LOCAL, 3, 28, BYTES("\1\0"), LOCAL, "its data goes past the entries"},
    {LOCAL, 1, 28, BYTES("\1\0"), DATA, "byte 206: entry 'm/data/1': it overlaps the entry before it"},
    {LOCAL, 1, 30, BYTES("m/data/2"), LOCAL, "another name"},
    {DATA, 0, 5, BYTES("Y"), DATA, "CRC-32"},
};

static size_t place_of(const built *z, region p, int entry)
{
    return p == LOCAL ? z->local[entry] : p == CENTRAL ? z->central[entry] : p == END ? z->end : z->data[entry];
}

static void refuse_bytes(const built *z, const char *place, const char *words)
{
    flaw_error err = {0};
    flaw_tensors t = {.count = 77};
    assert_int_equal(flaw_torch_parse(&t, (const uint8_t *)z->file.data, z->file.size, "m.pt", &err), FLAW_BAD_DATA);
    print_message("%s\n", err.text);
    assert_contains(err.text, place);
    if (words) assert_contains(err.text, words);
    assert_int_equal(t.count, 77);
}

static void test_archives(void **state)
{
    for (size_t i = 0; i < sizeof zips / sizeof zips[0]; i++) {
        const zip_case *c = &zips[i];
        built z = build_torch(MODEL, sizeof MODEL - 1);
        char said[64] = "m.pt";
        memcpy(z.file.data + place_of(&z, c->place, c->entry) + c->at, c->with.at, c->with.size);
        if (c->said != DATA && c->words && !strstr(c->words, "bytes after"))
            snprintf(said, sizeof said, "byte %zu: ", place_of(&z, c->said, c->entry));
        refuse_bytes(&z, said, c->words);
        flaw_buffer_release(&z.file);
    }
}

static void refuse_entries(const built_entry *entry, size_t count, const char *words)
{
    built z = build_zip(entry, count);
    refuse_bytes(&z, "m.pt", words);
    flaw_buffer_release(&z.file);
}

static void test_entries(void **state)
{
    const built_entry none[] = {{"m/version", "3", 1}};
    const built_entry two[] = {{"m/data.pkl", MODEL, 5}, {"n/data.pkl", MODEL, 5}};
    const built_entry twice[] = {{"m/data.pkl", MODEL, 5}, {"m/x", "", 0}, {"m/x", "1", 1}};
    const built_entry big[] = {{"m/byteorder", "big", 3}, {"m/data.pkl", HEAD "}.", 4}};
    const built_entry script[] = {{"m/constants.pkl", "", 0}, {"m/data.pkl", HEAD "}.", 4}};
    const built_entry little[] = {{"m/byteorder", "little", 6}, {"m/data.pkl", HEAD "}.", 4}};
    const built_entry root[] = {{"data.pkl", HEAD "}.", 4}};
    char name[400];
    memset(name, 'n', sizeof name);
    memcpy(name + 300, "/data.pkl", 10);
    const built_entry longest[] = {{name, HEAD "}.", 4}};
    refuse_entries(none, 1, "no PyTorch file");
    refuse_entries(root, 1, "no PyTorch file");
    refuse_entries(two, 2, "two pickles, 'm/data.pkl' and 'n/data.pkl'");
    refuse_entries(twice, 3, "'m/x': this name comes twice");
    refuse_entries(big, 2, "byte order 'big'");
    refuse_entries(script, 2, "TorchScript");
    refuse_entries(longest, 1, "over 256 bytes");
    flaw_error err = {0};
    flaw_tensors t;
    built z = build_zip(little, 2);
    assert_ok(flaw_torch_parse(&t, (uint8_t *)z.file.data, z.file.size, "m.pt", &err));
    assert_int_equal(t.count, 0);
    flaw_tensors_close(&t);
    flaw_buffer_release(&z.file);
}

/* One entry inside of another one's data. */
static void test_overlap(void **state)
{
    const built_entry inner[] = {{"m/inner", "1234", 4}};
    built in = build_zip(inner, 1);
    const size_t inner_size = in.data[0] + 4;
    const built_entry entry[] = {
        {"m/data.pkl", HEAD "}.", 4}, {"m/outer", in.file.data, inner_size}, {"m/inner", "1234", 4}};
    built z = build_zip(entry, 3);
    const uint32_t at = (uint32_t)z.data[1];
    memcpy(z.file.data + z.central[2] + 42, &at, 4);
    char place[64];
    snprintf(place, sizeof place, "byte %zu: entry 'm/inner'", z.data[1]);
    refuse_bytes(&z, place, "overlaps");
    flaw_buffer_release(&z.file);
    flaw_buffer_release(&in.file);
}

static flaw_bytes read_data(const char *name)
{
    flaw_error err = {0};
    flaw_bytes file;
    char path[512];
    const char *source = getenv("FLAW_SOURCE");
    snprintf(path, sizeof path, "%s/tests/format/data/%s", source ? source : ".", name);
    assert_ok(flaw_file_read(&file, path, 1 << 20, &err));
    return file;
}

/* The ZIP64 records of a file that Python's zipfile wrote: each of their numbers changed alone. */
static void test_zip64(void **state)
{
    static const struct {
        size_t at; /* from the ZIP64 end record on */
        bytes with;
        const char *words;
    } cases[] = {
        {0, BYTES("PK\6\7"), "no ZIP64 end record here"},
        {4, BYTES("\x2d"), "wrong size"},
        {16, BYTES("\1"), "several files"},
        {20, BYTES("\1"), "several files"},
        {24, BYTES("\4"), "disagree"},
        {32, BYTES("\2"), "disagree"},
        {24, BYTES("\4\0\0\0\0\0\0\0\4"), "disagree"},
        {40, BYTES("\x13"), "disagree"},
        {48, BYTES("\x1e"), "disagree"},
        {56, BYTES("PK\6\5"), NULL},
        {60, BYTES("\1"), "several files"},
        {64, BYTES("\x30"), "no ZIP64 end record here"},
        {64, BYTES("\xff\xff\xff\xff\xff\xff\xff\xff"), "where it cannot"},
        {72, BYTES("\2"), "several files"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        flaw_error err = {0};
        flaw_tensors t = {.count = 77};
        flaw_bytes file = read_data("torch-zip64.pt");
        memcpy(file.data + file.size - 98 + cases[i].at, cases[i].with.at, cases[i].with.size);
        assert_int_equal(flaw_torch_parse(&t, file.data, file.size, "m.pt", &err), FLAW_BAD_DATA);
        print_message("%s\n", err.text);
        if (cases[i].words) assert_contains(err.text, cases[i].words);
        flaw_bytes_release(&file);
    }
}

/* Every beginning of a good archive, and every beginning of its pickle in an archive that tells the truth about it. */
static void test_truncated(void **state)
{
    static const char *const names[] = {"torch-shared.pt", "torch-zip64.pt"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        flaw_bytes file = read_data(names[i]);
        for (size_t size = 0; size < file.size; size++) {
            flaw_error err = {0};
            flaw_tensors t;
            uint8_t *copy = malloc(size + 1); /* exact, for the sanitizer */
            memcpy(copy, file.data, size);
            if (flaw_torch_parse(&t, copy, size, "cut", &err) != FLAW_BAD_DATA)
                fail_msg("%zu bytes of %s", size, names[i]);
            free(copy);
        }
        flaw_bytes_release(&file);
    }
    for (size_t size = 0; size < sizeof MODEL - 1; size++) refuse_pickle(MODEL, size, "m.pt: data.pkl", NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good),
        cmocka_unit_test(test_prefix),      cmocka_unit_test(test_pickles), cmocka_unit_test(test_other_values),
        cmocka_unit_test(test_bombs),     cmocka_unit_test(test_depth),   cmocka_unit_test(test_archives),
        cmocka_unit_test(test_entries),   cmocka_unit_test(test_overlap), cmocka_unit_test(test_zip64),
        cmocka_unit_test(test_truncated),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
