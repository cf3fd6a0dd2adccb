import static com.aerospike.client.exp.Exp.*;

import com.aerospike.client.Bin;
import com.aerospike.client.ResultCode;
import com.aerospike.client.Value;
import com.aerospike.client.cdt.CTX;
import com.aerospike.client.cdt.ListOperation;
import com.aerospike.client.cdt.ListOrder;
import com.aerospike.client.cdt.ListPolicy;
import com.aerospike.client.cdt.ListReturnType;
import com.aerospike.client.cdt.ListWriteFlags;
import com.aerospike.client.cdt.MapPolicy;
import com.aerospike.client.cdt.MapReturnType;
import com.aerospike.client.exp.BitExp;
import com.aerospike.client.exp.Exp;
import com.aerospike.client.exp.ExpOperation;
import com.aerospike.client.exp.ExpReadFlags;
import com.aerospike.client.exp.Expression;
import com.aerospike.client.exp.HLLExp;
import com.aerospike.client.exp.ListExp;
import com.aerospike.client.exp.MapExp;
import com.aerospike.client.operation.BitPolicy;
import com.aerospike.client.operation.BitResizeFlags;
import com.aerospike.client.operation.HLLOperation;
import com.aerospike.client.operation.HLLPolicy;
import java.util.Calendar;
import java.util.List;
import java.util.TimeZone;

/** Operations that expressions call, and what they give, with the official Java client: those that Expressions has not shown. Usage: Calls HOST PORT. */
class Calls extends Harness {
	static final int NONE = ListReturnType.NONE, INVERTED = ListReturnType.INVERTED, KEY = MapReturnType.KEY;
	static final Exp L = listBin("l"), O = listBin("o"), M = mapBin("m"), N = mapBin("n"), D = mapBin("d"), Y = blobBin("y"), H = hllBin("h");
	static final ListPolicy PLAIN = ListPolicy.Default;
	static final HLLPolicy HLL = HLLPolicy.Default;

	/** What a call gives; of what is null that it is unknown. Its form in base 64 and in bytes gives the same. */
	static void gives(String name, Exp call, Object want) {
		check("calls: " + name, () -> {
			Expression exp = Exp.build(call);
			for (Expression each : List.of(exp, Expression.fromBytes(exp.getBytes()), Expression.fromBase64(exp.getBase64()))) {
				var read = ExpOperation.read(BIN, each, ExpReadFlags.DEFAULT);
				if (want == null) refused(ResultCode.OP_NOT_APPLICABLE, () -> answer("calls", read));
				else equal(answer("calls", read), want);
			}
		});
	}

	public static void main(String[] args) {
		connect(args);
		put("calls", new Bin("l", list(4, 3, 1, 5, 2, 3)), new Bin("m", map("a", 3, "b", 1, "c", 2)), new Bin("n", map(0, 17, 4, 2, 5, 15, 9, 10)), new Bin("y", bytes(1, 0x42, 3)),
			new Bin("d", map("list", list(1, list(2, 3)), "map", map("k", map("x", 1, "y", 2)))), new Bin("i", 2));
		client.operate(null, key("calls"), ListOperation.appendItems(new ListPolicy(ListOrder.ORDERED, ListWriteFlags.DEFAULT), "o", values(0, 4, 5, 9, 11, 15)), HLLOperation.add(HLL, "h", values("x", 1), 10));
		gives("list insert items", ListExp.insertItems(PLAIN, val(1), val(list(8, 9)), L), list(4, 8, 9, 3, 1, 5, 2, 3));
		gives("list insert items, nested", ListExp.insertItems(PLAIN, val(0), val(list(8, 9)), D, CTX.mapKey(Value.get("list")), CTX.listIndex(1)), map("list", list(1, list(8, 9, 2, 3)), "map", map("k", map("x", 1, "y", 2))));
		gives("list remove by relative rank", ListExp.removeByValueRelativeRankRange(NONE, val(5), val(1), O), list(0, 4, 5));
		gives("list remove by relative rank, counted", ListExp.removeByValueRelativeRankRange(NONE, val(5), val(-1), val(2), O), list(0, 9, 11, 15));
		gives("list remove by relative rank, inverted", ListExp.removeByValueRelativeRankRange(INVERTED, val(5), val(-1), val(2), O), list(4, 5));
		gives("list remove by rank range", ListExp.removeByRankRange(NONE, val(2), L), list(1, 2));
		gives("list remove by rank range, counted", ListExp.removeByRankRange(NONE, val(-2), val(1), L), list(3, 1, 5, 2, 3));
		gives("list remove by rank range, inverted", ListExp.removeByRankRange(INVERTED, val(0), val(2), L), list(1, 2));
		gives("list remove by index of another bin", ListExp.removeByIndex(intBin("i"), L), list(4, 3, 5, 2, 3));
		gives("list remove by index out of bounds", ListExp.removeByIndex(val(9), L), null);
		gives("list, wildcard", ListExp.getByValue(ListReturnType.COUNT, wildcard(), L), 6);
		gives("map remove by key range", MapExp.removeByKeyRange(NONE, val("a"), val("c"), M), map("c", 2));
		gives("map remove by key range without end", MapExp.removeByKeyRange(NONE, val("b"), null, M), map("a", 3));
		gives("map remove by key range without begin", MapExp.removeByKeyRange(NONE, null, val("b"), M), map("b", 1, "c", 2));
		gives("map remove by key range, nested", MapExp.removeByKeyRange(NONE, val("x"), val("y"), D, CTX.mapKey(Value.get("map")), CTX.mapKey(Value.get("k"))), map("list", list(1, list(2, 3)), "map", map("k", map("y", 2))));
		gives("map remove by relative index", MapExp.removeByKeyRelativeIndexRange(NONE, val(5), val(0), N), map(0, 17, 4, 2));
		gives("map remove by relative index, counted", MapExp.removeByKeyRelativeIndexRange(NONE, val(5), val(-1), val(1), N), map(0, 17, 5, 15, 9, 10));
		gives("map remove by relative rank", MapExp.removeByValueRelativeRankRange(NONE, val(11), val(-1), N), map(4, 2));
		gives("map remove by relative rank, counted", MapExp.removeByValueRelativeRankRange(NONE, val(11), val(-1), val(1), N), map(0, 17, 4, 2, 5, 15));
		gives("map remove by rank range", MapExp.removeByRankRange(NONE, val(1), M), map("b", 1));
		gives("map remove by rank range, counted", MapExp.removeByRankRange(INVERTED, val(0), val(1), M), map("b", 1));
		gives("map get by relative index", MapExp.getByKeyRelativeIndexRange(KEY, val(5), val(-1), val(1), N), list(4));
		gives("map get by rank, from the end", MapExp.getByRank(MapReturnType.REVERSE_RANK, Type.INT, val(-1), M), 0);
		gives("map put to a missing bin", MapExp.put(MapPolicy.Default, val("a"), val(1), mapBin("none")), null);
		gives("map put to nothing", MapExp.put(MapPolicy.Default, val("a"), val(1), nil()), map("a", 1));
		gives("bit resize, shrink only", BitExp.resize(BitPolicy.Default, val(2), BitResizeFlags.SHRINK_ONLY, Y), bytes(1, 0x42));
		gives("bit resize, shrink only, larger", BitExp.resize(BitPolicy.Default, val(5), BitResizeFlags.SHRINK_ONLY, Y), null);
		gives("sketch init", HLLExp.describe(HLLExp.init(HLL, val(12), val(4), H)), list(12, 4));
		gives("sketch add", HLLExp.getCount(HLLExp.add(HLL, val(list("x", "y")), val(10), H)), 3);
		gives("sketch add with bits", HLLExp.describe(HLLExp.add(HLL, val(list("x", "y")), val(10), val(8), H)), list(10, 0));
		gives("bin by type", bin("i", Type.INT), 2);
		gives("list by type", bin("l", Type.LIST), list(4, 3, 1, 5, 2, 3));
		Calendar epoch = Calendar.getInstance(TimeZone.getTimeZone("UTC"));
		epoch.setTimeInMillis(1000);
		gives("nanoseconds of a calendar", val(epoch), 1_000_000_000L);
		check("contexts in base 64", () -> {
			CTX[] path = {CTX.mapKey(Value.get("map")), CTX.mapKey(Value.get("k"))};
			for (CTX[] each : List.of(CTX.fromBase64(CTX.toBase64(path)), CTX.fromBytes(CTX.toBytes(path))))
				equal(answer("calls", ExpOperation.read(BIN, Exp.build(MapExp.size(D, each)), ExpReadFlags.DEFAULT)), 2);
		});
		end();
	}
}
