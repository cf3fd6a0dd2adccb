//! Smoke test with the official Rust client. Usage: smoke HOST PORT (see ../../README.md).
use aerospike::expressions as exp;
use aerospike::expressions::lists as xl;
use aerospike::expressions::maps as xm;
use aerospike::operations::{self as op, bitwise, hll, lists, maps, path};
use aerospike::*;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI32, Ordering};

static FAILED: AtomicI32 = AtomicI32::new(0);

fn report(name: &str, result: std::result::Result<(), String>) {
    match result {
        Ok(()) => println!("ok {name}"),
        Err(reason) => {
            FAILED.fetch_add(1, Ordering::Relaxed);
            println!("FAIL {name}: {reason}");
        }
    }
}

/// A value as text that is equal when the value is: maps in the order of their keys.
fn plain(value: &Value) -> String {
    fn pairs<'a>(map: impl Iterator<Item = (&'a Value, &'a Value)>) -> String {
        let sorted: BTreeMap<String, String> = map.map(|(k, v)| (plain(k), plain(v))).collect();
        format!("{sorted:?}")
    }
    match value {
        Value::List(list) | Value::MultiResult(list) => format!("{:?}", list.iter().map(plain).collect::<Vec<_>>()),
        Value::HashMap(map) => pairs(map.iter()),
        Value::OrderedMap(map) => pairs(map.iter()),
        Value::SortedMap(map) => pairs(map.iter()),
        Value::KeyValueList(list) => pairs(list.iter().map(|(k, v)| (k, v))),
        other => format!("{other:?}"),
    }
}

fn equal(got: &Value, want: &Value) -> std::result::Result<(), String> {
    if plain(got) == plain(want) {
        Ok(())
    } else {
        Err(format!("got {}, want {}", plain(got), plain(want)))
    }
}

fn shown<T: std::fmt::Display>(error: T) -> String {
    error.to_string()
}

struct Smoke {
    client: Client,
    set: String,
    write: WritePolicy,
    read: ReadPolicy,
}

enum Want {
    Answer(Value),
    Nothing,
    Code(ResultCode),
}
mod calls;
use Want::{Answer, Code, Nothing};

impl Smoke {
    fn key(&self, name: &str) -> Key {
        as_key!("test", self.set.as_str(), name)
    }

    /// The client asks for an answer to every operation. The bin `b` before, what is done to it, what it answers, the bin afterwards (None: as before).
    async fn row(&self, name: &str, before: Value, ops: Vec<op::Operation>, want: Want, after: Option<Value>) {
        report(name, self.try_row(name, before, ops, want, after).await);
    }

    async fn try_row(&self, name: &str, before: Value, ops: Vec<op::Operation>, want: Want, after: Option<Value>) -> std::result::Result<(), String> {
        let key = self.key(name);
        self.client.put(&self.write, &key, &[Bin::new("b".to_string(), before.clone()), as_bin!("other", 1)]).await.map_err(shown)?;
        match (self.client.operate(&self.write, &key, &ops).await, want) {
            (Ok(record), Answer(value)) => equal(record.bins.get("b").ok_or("no answer")?, &value)?,
            (Ok(record), Nothing) => match record.bins.get("b") {
                Some(Value::MultiResult(list)) if list.iter().all(|each| matches!(each, Value::Nil)) => {}
                Some(value) => equal(value, &Value::Nil)?,
                None => {}
            },
            (Err(error), Code(code)) => {
                if error.server_result_code() != Some(code) {
                    return Err(shown(error));
                }
            }
            (Ok(record), Code(code)) => return Err(format!("{record}, want {code:?}")),
            (Err(error), _) => return Err(shown(error)),
        }
        let bins = self.client.get(&self.read, &key, Bins::All).await.map_err(shown)?.bins;
        equal(bins.get("b").unwrap_or(&Value::Nil), after.as_ref().unwrap_or(&before))
    }
}

#[tokio::main]
async fn main() {
    let args: Vec<String> = std::env::args().collect();
    let client = Client::new(&ClientPolicy::default(), &format!("{}:{}", args[1], args[2])).await.expect("connect");
    println!("ok connect");
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_nanos();
    let mut write = WritePolicy::default();
    write.base_policy.total_timeout = 20_000;
    let mut read = ReadPolicy::default();
    read.base_policy.total_timeout = 20_000;
    let s = Smoke { client, set: format!("rust{now}"), write, read };
    values(&s).await;
    collections(&s).await;
    bits(&s).await;
    expressions(&s).await;
    calls::operations(&s).await;
    calls::sketches(&s).await;
    calls::calls(&s).await;
    batches(&s).await;
    s.client.close().await.ok();
    std::process::exit(i32::from(FAILED.load(Ordering::Relaxed) > 0));
}

async fn values(s: &Smoke) {
    let point = "{\"type\":\"Point\",\"coordinates\":[-122.0,37.5]}";
    let all: Vec<(&str, Value)> = vec![
        ("integer", as_val!(i64::MIN)),
        ("double", as_val!(1.5)),
        ("text", as_val!("naïve ☕")),
        ("bytes", as_blob!(vec![0u8, 1, 255])),
        ("true", as_val!(true)),
        ("list", as_list!(1, "a", 2.5, as_list!(1), as_map!("k" => 1), true)),
        ("hash map", as_map!("b" => 1, "a" => as_list!(1), 3 => "x")),
        ("ordered map", as_ord_map!("b" => 1, "a" => 2)),
        ("sorted map", as_sorted_map!("b" => 1, "a" => 2)),
        ("point", as_geo!(point)),
        ("point in a list", as_list!(as_geo!(point))),
        ("long list", Value::List((0..20_000).map(|i| as_val!(i as i64)).collect())),
    ];
    for (name, value) in all {
        s.row(
            &format!("values: {name}"),
            value.clone(),
            vec![op::put(&Bin::new("b".to_string(), value.clone())), op::get_bin("b")],
            Answer(Value::List(vec![Value::Nil, value])),
            None,
        )
        .await;
    }
}

async fn collections(s: &Smoke) {
    let (plain_list, plain_map) = (ListPolicy::default(), MapPolicy::default());
    let five = as_list!(4, 3, 1, 5, 2);
    let v = |x: i64| Value::Int(x);
    s.row(
        "lists: append",
        as_list!(1),
        vec![lists::append(&plain_list, "b", v(2)), lists::append_items(&plain_list, "b", as_values!(3, "x"))],
        Answer(as_list!(2, 4)),
        Some(as_list!(1, 2, 3, "x")),
    )
    .await;
    s.row(
        "lists: append unique",
        as_list!(1),
        vec![lists::append(&ListPolicy::new(ListOrderType::Unordered, ListWriteFlags::ADD_UNIQUE), "b", v(1))],
        Code(ResultCode::ElementExists),
        None,
    )
    .await;
    s.row(
        "lists: insert, set, increment",
        as_list!(1),
        vec![lists::insert(&plain_list, "b", 0, v(5)), lists::set("b", 1, v(7)), lists::increment(&plain_list, "b", 1, 3)],
        Answer(as_list!(2, Value::Nil, 10)),
        Some(as_list!(5, 10)),
    )
    .await;
    s.row(
        "lists: sort, size, pop",
        five.clone(),
        vec![lists::sort("b", ListSortFlags::DEFAULT), lists::size("b"), lists::pop("b", -1)],
        Answer(as_list!(Value::Nil, 5, 5)),
        Some(as_list!(1, 2, 3, 4)),
    )
    .await;
    s.row(
        "lists: reads",
        five.clone(),
        vec![
            lists::get_by_index("b", 2, ListReturnType::RANK),
            lists::get_by_rank("b", -1, ListReturnType::VALUES),
            lists::get_by_value_range("b", v(3), v(5), ListReturnType::COUNT),
            lists::get_by_value_list("b", as_values!(5, 4, 7), ListReturnType::VALUES),
            lists::get_by_index_range("b", 3, ListReturnType::VALUES),
            lists::get_by_value("b", v(9), ListReturnType::EXISTS),
        ],
        Answer(as_list!(0, 5, 2, as_list!(4, 5), as_list!(5, 2), false)),
        None,
    )
    .await;
    s.row(
        "lists: removals",
        five.clone(),
        vec![lists::remove_by_rank("b", 0, ListReturnType::VALUES), lists::remove_by_value("b", v(4), ListReturnType::COUNT), lists::trim("b", 0, 2)],
        Answer(as_list!(1, 1, 1)),
        Some(as_list!(3, 5)),
    )
    .await;
    s.row("lists: out of bounds", five.clone(), vec![lists::get("b", 9)], Code(ResultCode::OpNotApplicable), None).await;
    let abc = as_map!("a" => 3, "b" => 1, "c" => 2);
    s.row(
        "maps: put",
        as_map!("a" => 1),
        vec![maps::put(&plain_map, "b", as_val!("b"), v(2)), maps::put_items(&plain_map, "b", BTreeMap::from([(as_val!("c"), v(3))])), maps::size("b")],
        Answer(as_list!(2, 3, 3)),
        Some(as_map!("a" => 1, "b" => 2, "c" => 3)),
    )
    .await;
    s.row(
        "maps: create only",
        abc.clone(),
        vec![maps::put(&MapPolicy::new(maps::MapOrder::KeyOrdered, MapWriteFlags::CREATE_ONLY), "b", as_val!("a"), v(1))],
        Code(ResultCode::ElementExists),
        None,
    )
    .await;
    s.row(
        "maps: increment, decrement",
        abc.clone(),
        vec![maps::increment_value(&plain_map, "b", as_val!("a"), v(4)), maps::decrement_value(&plain_map, "b", as_val!("b"), v(4))],
        Answer(as_list!(7, -3)),
        Some(as_map!("a" => 7, "b" => -3, "c" => 2)),
    )
    .await;
    s.row(
        "maps: reads",
        abc.clone(),
        vec![
            maps::get_by_key("b", as_val!("b"), MapReturnType::RANK),
            maps::get_by_key_range("b", as_val!("a"), as_val!("c"), MapReturnType::KEY),
            maps::get_by_rank("b", 0, MapReturnType::KEY_VALUE),
            maps::get_by_index_range("b", 1, 2, MapReturnType::ORDERED_MAP),
            maps::get_by_value("b", v(2), MapReturnType::UNORDERED_MAP),
            maps::get_by_key_list("b", as_values!("c", "x"), MapReturnType::VALUE),
        ],
        Answer(as_list!(0, as_list!("a", "b"), as_map!("b" => 1), as_map!("b" => 1, "c" => 2), as_map!("c" => 2), as_list!(2))),
        None,
    )
    .await;
    s.row(
        "maps: removals",
        abc.clone(),
        vec![maps::remove_by_key("b", as_val!("a"), MapReturnType::VALUE), maps::remove_by_rank("b", -1, MapReturnType::KEY)],
        Answer(as_list!(3, "c")),
        Some(as_map!("b" => 1)),
    )
    .await;
    s.row(
        "paths: values",
        as_map!("a" => 1, "b" => 5, "c" => 9),
        vec![
            path::select_values(
                "b",
                &[op::cdt_context::ctx_all_children_with_filter(exp::gt(exp::exp_int_loop_var(exp::LoopVarPart::VALUE), exp::int_val(2)))],
            ),
            path::select_map_keys("b", &[op::cdt_context::ctx_all_children()]),
            path::select_matching_tree(
                "b",
                &[
                    op::cdt_context::ctx_map_keys_in(["a", "c"]),
                    op::cdt_context::ctx_and_filter(exp::lt(exp::exp_int_loop_var(exp::LoopVarPart::VALUE), exp::int_val(5))),
                ],
            ),
        ],
        Answer(as_list!(as_list!(5, 9), as_list!("a", "b", "c"), as_map!("a" => 1))),
        None,
    )
    .await;
    s.row(
        "paths: modify, remove",
        as_map!("a" => 1, "b" => 5, "c" => 9),
        vec![
            path::modify("b", exp::num_mul(vec![exp::exp_int_loop_var(exp::LoopVarPart::VALUE), exp::int_val(2)]), &[op::cdt_context::ctx_all_children()]),
            path::remove(
                "b",
                &[op::cdt_context::ctx_all_children_with_filter(exp::eq(exp::exp_string_loop_var(exp::LoopVarPart::MAP_KEY), exp::string_val("b")))],
            ),
        ],
        Nothing,
        Some(as_map!("a" => 2, "c" => 18)),
    )
    .await;
}

async fn bits(s: &Smoke) {
    let five = as_blob!(vec![1u8, 0x42, 3, 4, 5]);
    let policy = bitwise::BitPolicy::default();
    s.row(
        "bits: reads",
        five.clone(),
        vec![
            bitwise::get("b", 9, 5),
            bitwise::count("b", 20, 12),
            bitwise::lscan("b", 24, 8, true),
            bitwise::rscan("b", 32, 8, true),
            bitwise::get_int("b", 8, 16, false),
        ],
        Answer(as_list!(as_blob!(vec![0x80u8]), 3, 5, 7, 0x4203)),
        None,
    )
    .await;
    s.row(
        "bits: writes",
        five.clone(),
        vec![bitwise::not("b", 25, 6, &policy), bitwise::lshift("b", 32, 8, 3, &policy), bitwise::insert("b", 0, as_blob!(vec![9u8]), &policy)],
        Nothing,
        Some(as_blob!(vec![9u8, 1, 0x42, 3, 0x7a, 0x28])),
    )
    .await;
    let plain_hll = hll::HllPolicy::default();
    s.row(
        "sketches",
        five.clone(),
        vec![
            op::delete(),
            op::put(&as_bin!("other", 1)),
            hll::init(&plain_hll, "b", 8),
            hll::add(&plain_hll, "b", as_values!("a", "b", 1)),
            hll::get_count("b"),
            hll::describe("b"),
            op::put(&Bin::new("b".to_string(), five.clone())),
        ],
        Answer(as_list!(Value::Nil, 3, 3, as_list!(8, 0), Value::Nil)),
        None,
    )
    .await;
}

async fn expressions(s: &Smoke) {
    let key = s.key("all");
    let bins = [
        as_bin!("i", 7),
        as_bin!("d", 2.5),
        as_bin!("s", "Hello World"),
        as_bin!("yes", true),
        as_bin!("l", as_list!(3, 1, 2, 3)),
        Bin::new("m".to_string(), as_map!("a" => 1, "b" => 2)),
        as_bin!("y", as_blob!(vec![0x0fu8, 0xf0])),
    ];
    s.client.put(&s.write, &key, &bins).await.unwrap();
    let (i, l, m) = (|| exp::int_bin("i"), || exp::list_bin("l"), || exp::map_bin("m"));
    let n = exp::int_val;
    let truths = vec![
        (
            "comparisons",
            exp::and(vec![
                exp::eq(i(), n(7)),
                exp::gt(i(), n(6)),
                exp::le(exp::float_bin("d"), exp::float_val(2.5)),
                exp::ne(exp::string_bin("s"), exp::string_val("x")),
                exp::bool_bin("yes"),
            ]),
        ),
        ("regex", exp::regex_compare("^hel+o", RegexFlags::ICASE | RegexFlags::EXTENDED, exp::string_bin("s"))),
        (
            "arithmetic",
            exp::and(vec![
                exp::eq(exp::num_add(vec![i(), n(1)]), n(8)),
                exp::eq(exp::num_mod(i(), n(4)), n(3)),
                exp::eq(exp::to_float(i()), exp::float_val(7.0)),
                exp::eq(exp::max(vec![i(), n(9)]), n(9)),
            ]),
        ),
        (
            "cond, let",
            exp::exp_let(vec![
                exp::def("x", i()),
                exp::eq(exp::cond(vec![exp::gt(exp::var("x"), n(5)), exp::string_val("big"), exp::string_val("small")]), exp::string_val("big")),
            ]),
        ),
        (
            "lists",
            exp::and(vec![
                exp::eq(xl::size(l(), &[]), n(4)),
                exp::eq(xl::get_by_index(ListReturnType::VALUES, exp::ExpType::Int, n(2), l(), &[]), n(2)),
                exp::eq(l(), exp::list_val(as_values!(3, 1, 2, 3))),
                exp::in_list(n(2), l()),
            ]),
        ),
        (
            "maps",
            exp::and(vec![
                exp::eq(xm::get_by_key(MapReturnType::VALUE, exp::ExpType::Int, exp::string_val("b"), m(), &[]), n(2)),
                exp::eq(xm::size(xm::put(&MapPolicy::default(), exp::string_val("c"), n(3), m(), &[]), &[]), n(3)),
                exp::eq(exp::map_keys(m()), exp::list_val(as_values!("a", "b"))),
            ]),
        ),
        ("bits", exp::eq(exp::bitwise::count(n(0), n(16), exp::blob_bin("y")), n(8))),
        (
            "metadata",
            exp::and(vec![
                exp::eq(exp::set_name(), exp::string_val(s.set.as_str())),
                exp::bin_exists("i"),
                exp::lt(exp::digest_modulo(3), n(3)),
                exp::gt(exp::record_size(), n(10)),
                exp::eq(exp::ttl(), n(-1)),
            ]),
        ),
    ];
    for (name, truth) in truths {
        let mut policy = s.read.clone();
        policy.base_policy.filter_expression = Some(truth.clone());
        let yes = s.client.get(&policy, &key, Bins::All).await.map(|_| ()).map_err(shown);
        policy.base_policy.filter_expression = Some(exp::not(truth.clone()));
        let no = match s.client.get(&policy, &key, Bins::All).await {
            Err(error) if error.server_result_code() == Some(ResultCode::FilteredOut) => Ok(()),
            other => Err(format!("{other:?}")),
        };
        report(&format!("filters: {name}"), yes.and(no));
        let ops = vec![op::exp::read_exp("answer", truth, op::exp::ExpReadFlags::DEFAULT)];
        let got = s.client.operate(&s.write, &key, &ops).await.map_err(shown).and_then(|record| equal(&record.bins["answer"], &as_val!(true)));
        report(&format!("expressions: {name}"), got);
    }
}

async fn batches(s: &Smoke) {
    for n in 0..5 {
        s.client.put(&s.write, &s.key(&format!("row{n}")), &[as_bin!("i", n)]).await.unwrap();
    }
    let (reads, writes, deletes) = (BatchReadPolicy::default(), BatchWritePolicy::default(), BatchDeletePolicy::default());
    for is_filtered in [false, true] {
        let mut rows = vec![
            BatchOperation::read(&reads, s.key("row0"), Bins::All),
            BatchOperation::read(&reads, s.key("row1"), Bins::None),
            BatchOperation::read_ops(&reads, s.key("row2"), vec![op::get_bin("i")]),
            BatchOperation::write(&writes, s.key("row3"), vec![op::put(&as_bin!("n", 1)), op::get_bin("i")]),
            BatchOperation::write(&writes, s.key("row3"), vec![lists::append(&ListPolicy::default(), "i", as_val!(1))]),
            BatchOperation::delete(&deletes, s.key("row4")),
            BatchOperation::read(&reads, s.key("none"), Bins::All),
        ];
        let mut policy = BatchPolicy::default();
        policy.base_policy.total_timeout = 20_000;
        if is_filtered {
            policy.base_policy.filter_expression = Some(exp::lt(exp::int_bin("i"), exp::int_val(2)));
        }
        let outcome = s.client.batch(&policy, &mut rows).await;
        let codes: Vec<_> = rows.iter().map(|row| row.result_code().map(|code| format!("{code:?}"))).collect();
        let got = format!("{:?}", codes.iter().map(|code| code.clone().unwrap_or_default()).collect::<Vec<_>>());
        let want = if is_filtered {
            r#"["Ok", "Ok", "FilteredOut", "FilteredOut", "FilteredOut", "KeyNotFoundError", "KeyNotFoundError"]"#
        } else {
            r#"["Ok", "Ok", "Ok", "Ok", "BinTypeError", "Ok", "KeyNotFoundError"]"#
        };
        report(
            &format!("batches: rows of every kind, filtered: {is_filtered}"),
            if got == want { Ok(()) } else { Err(format!("got {got}, want {want}, {outcome:?}")) },
        );
    }
    let mut policy = BatchPolicy::default();
    policy.base_policy.use_compression = true;
    let mut rows: Vec<_> =
        (0..1000).map(|n| BatchOperation::write(&writes, s.key(&format!("many{n}")), vec![op::put(&as_bin!("n", "x".repeat(100)))])).collect();
    s.client.batch(&policy, &mut rows).await.ok();
    let good = rows.iter().filter(|row| row.result_code() == Some(ResultCode::Ok)).count();
    report("batches: compressed", if good == 1000 { Ok(()) } else { Err(format!("{good} of 1000")) });
}
