"""Places and routes one netlist with Coriolis (placer Coloquinte, router Katana).

    python coriolis_program.py given.json made.json

This file is run, never imported: Coriolis is under the GPL and lives in an environment of its own.
`given.json` holds what `by_coriolis.py` writes; `made.json` gets the places of the cells, in um from the
lower left corner, whether each is upside down, the length of each net's wires, those of segments that stayed
open too.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

from coriolis import CRL, Anabatic, Cfg, Etesian, Hurricane, Katana
from coriolis.helpers import u
from coriolis.helpers.overlay import CfgCache, UpdateSession
from coriolis.helpers.technology import createBL, createVia, setEnclosures

METALS = 6
"""Metals; the first holds pins alone, the last is left to supplies, so that four route."""
GRID_UM = 0.005
STICK = 9
"""A pin is so many times as long, upright, as wide: it reaches the tracks of the second metal that lie within
two of its place."""
ROOM = 2
"""Rows round the core that wires may use: in the first and last column of the routing grid the ports would
crowd."""


def _technology(pitch_um: float) -> list[Any]:
    """Metals of one pitch, half of it wide, with the vias between them."""
    base = Hurricane.DataBase.create()
    CRL.System.get()
    made = Hurricane.Technology.create(base, "check")
    Hurricane.DbU.setPrecision(2)
    Hurricane.DbU.setPhysicalsPerGrid(GRID_UM, Hurricane.DbU.UnitPowerMicro)
    Hurricane.DbU.setGridsPerLambda(10)
    Hurricane.DbU.setSymbolicSnapGridStep(Hurricane.DbU.fromGrid(1.0))
    Hurricane.DbU.setPolygonStep(Hurricane.DbU.fromGrid(1.0))
    Hurricane.DbU.setStringMode(Hurricane.DbU.StringModePhysical, Hurricane.DbU.UnitPowerMicro)
    kinds, half = Hurricane.BasicLayer.Material, u(pitch_um / 2)
    metals = []
    for number in range(1, METALS + 1):
        metals.append(createBL(made, f"M{number}", kinds.metal, size=half, spacing=half))
        metals[-1].setBlockageLayer(createBL(made, f"B{number}", kinds.blockage))
        if number < METALS:
            createBL(made, f"V{number}", kinds.cut, size=half, spacing=half)
    for number in range(1, METALS):
        via = createVia(made, f"VIA{number}", f"M{number}", f"V{number}", f"M{number + 1}", half)
        for metal in metals[number - 1 : number + 1]:
            setEnclosures(via, metal, u(0.0))
    for name, kind in (("gmetalh", kinds.metal), ("gcontact", kinds.cut), ("gmetalv", kinds.metal)):
        createBL(made, name, kind)
    for name in ("text.cell", "text.instance", "SPL1", "AutoLayer"):
        createBL(made, name, kinds.other)
    return metals


def _gauges(metals: list[Any], pitch_um: float, row_um: float, site_um: float) -> None:
    """The tracks: a cell's first one lies half a pitch from its edge."""
    framework = CRL.AllianceFramework.get()
    routing, Layer = CRL.RoutingGauge.create("check"), CRL.RoutingLayerGauge
    routing.setSymbolic(False)
    for depth, metal in enumerate(metals):
        way = Layer.Horizontal if depth % 2 else Layer.Vertical
        use = Layer.PinOnly if depth == 0 else Layer.PowerSupply if depth == METALS - 1 else Layer.Default
        pitch, half = u(pitch_um), u(pitch_um / 2)
        routing.addLayerGauge(
            Layer.create(metal, way, use, depth, 0.0, half, pitch, half, half, half, u(0.0))
        )
    framework.addRoutingGauge(routing)
    framework.setRoutingGauge("check")
    framework.addCellGauge(CRL.CellGauge.create("check", "M1", u(pitch_um), u(row_um), u(site_um)))
    framework.setCellGauge("check")


def _settings() -> None:
    """Coriolis' own defaults for a real process, as its package has them, but for what is named here."""
    with CfgCache(priority=Cfg.Parameter.Priority.ConfigurationFile) as own:
        own.viewer.minimumSize = 500
        own.crlcore.groundName, own.crlcore.powerName = "vss", "vdd"
        own.etesian.bloat = "disabled"
        own.etesian.aspectRatio = 1.0
        own.etesian.spaceMargin = 0.0
        own.etesian.uniformDensity = True
        own.etesian.routingDriven = False
        own.etesian.effort = 2
        own.etesian.graphics = 3
        own.etesian.feedNames = ""
        own.etesian.latchUpDistance = 0
        own.anabatic.routingGauge = own.anabatic.cellGauge = "check"
        own.anabatic.topRoutingLayer = f"M{METALS - 1}"
        own.anabatic.globalLengthThreshold = 1450
        own.anabatic.saturateRatio, own.anabatic.saturateRp = 0.90, 10
        own.anabatic.edgeLength, own.anabatic.edgeWidth = 24, 4
        own.anabatic.edgeCostH, own.anabatic.edgeCostK = 9.0, -10.0
        own.anabatic.edgeHInc = own.anabatic.edgeHScaling = 1.0
        own.anabatic.globalIterations = 20
        own.anabatic.gcell.displayMode = 1
        own.anabatic.netBuilderStyle = "HV,3RL+"
        own.anabatic.routingStyle = Anabatic.StyleFlags.HV
        own.katana.disableStackedVias = False
        own.katana.hTracksReservedLocal, own.katana.vTracksReservedLocal = 4, 3
        own.katana.termSatReservedLocal, own.katana.termSatThreshold = 8, 9
        own.katana.eventsLimit = 4000002
        own.katana.ripupCost, own.katana.strapRipupLimit = 3, 16
        own.katana.localRipupLimit = 9
        own.katana.globalRipupLimit = own.katana.longGlobalRipupLimit = 5


def _masters(given: dict[str, Any], library: Any, metal: Any) -> dict[str, Any]:
    """The cells: an outline, and a square of the first metal for each pin."""
    half, height = u(given["pitch_um"] / 4), u(given["row_um"])
    masters = {}
    with UpdateSession():
        for name, cell in given["masters"].items():
            master = masters[name] = Hurricane.Cell.create(library, name)
            width = u(cell["width_um"])
            master.setAbutmentBox(Hurricane.Box(0, 0, width, height))
            for pin, (x, y) in cell["pins"].items():
                net = Hurricane.Net.create(master, pin)
                net.setExternal(True)
                out = pin in cell["outputs"]
                net.setDirection(Hurricane.Net.Direction.OUT if out else Hurricane.Net.Direction.IN)
                shape = Hurricane.Vertical.create(
                    net, metal, u(x), 2 * half, u(y) - STICK * half, u(y) + STICK * half
                )
                Hurricane.NetExternalComponents.setExternal(shape)
            master.setTerminalNetlist(True)
    return masters


def _design(given: dict[str, Any], library: Any, metals: list[Any]) -> tuple[Any, list[Any], list[Any]]:
    """The netlist with its ports in their places, and the cells too where these are given."""
    masters = _masters(given, library, metals[0])
    cell = Hurricane.Cell.create(library, "design")
    instances, nets = [], []
    kinds = Hurricane.Instance.PlacementStatus
    with UpdateSession():
        ring = ROOM * given["row_um"]
        right, top = given["width_um"] + ring, given["height_um"] + ring
        cell.setAbutmentBox(Hurricane.Box(u(-ring), u(-ring), u(right), u(top)))
        for number, one in enumerate(given["instances"]):
            instance = Hurricane.Instance.create(cell, f"i{number}", masters[one["master"]])
            if "x_um" in one:
                instance.setTransformation(_lying(one, given["row_um"]))
                instance.setPlacementStatus(kinds.PLACED)
            instances.append(instance)
        for number, one in enumerate(given["nets"]):
            net = Hurricane.Net.create(cell, f"n{number}")
            for instance, pin in one["pins"]:
                plug = instances[instance].getPlug(
                    masters[given["instances"][instance]["master"]].getNet(pin)
                )
                plug.setNet(net)
            nets.append(net)
            for place, port in enumerate(one["ports"]):
                _port(given, net, f"n{number}.{place}", port, metals)
    return cell, instances, nets


def _lying(one: dict[str, Any], row_um: float) -> Any:
    """Where an instance lies; upside down it is turned over about its lower edge and lifted by a row."""
    kinds = Hurricane.Transformation.Orientation
    if one["flipped"]:
        return Hurricane.Transformation(u(one["x_um"]), u(one["y_um"] + row_um), kinds.MY)
    return Hurricane.Transformation(u(one["x_um"]), u(one["y_um"]), kinds.ID)


def _port(given: dict[str, Any], net: Any, name: str, port: dict[str, Any], metals: list[Any]) -> None:
    """A port on the edge of the core, on the track that is nearest to its place."""
    pitch, sides = given["pitch_um"], Hurricane.Pin.Direction
    x, y = port["x_um"], port["y_um"]
    upright = y in (0, given["height_um"])
    along, length = (x, given["width_um"]) if upright else (y, given["height_um"])
    track = min(max(int(along / pitch), 0), int(length / pitch) - 1) * pitch + pitch / 2
    if upright:
        x, side = track, sides.SOUTH if y == 0 else sides.NORTH
    else:
        y, side = track, sides.WEST if x == 0 else sides.EAST
    net.setExternal(True)
    net.setDirection(Hurricane.Net.Direction.IN if port["is_input"] else Hurricane.Net.Direction.OUT)
    metal, half = metals[2 if upright else 1], u(pitch / 2)
    fixed = Hurricane.Pin.PlacementStatus.FIXED
    pin = Hurricane.Pin.create(net, name, side, fixed, metal, u(x), u(y), half, half)
    Hurricane.NetExternalComponents.setExternal(pin)


def _routed(cell: Any) -> bool:
    """Routes a placed cell; whether nothing is open."""
    katana = Katana.KatanaEngine.create(cell)
    katana.digitalInit()
    katana.runGlobalRouter(Katana.Flags.NoFlags)
    katana.loadGlobalRouting(Anabatic.EngineLoadGrByNet)
    katana.layerAssign(Anabatic.EngineNoNetLayerAssign)
    katana.runNegociate(Katana.Flags.NoFlags)
    is_whole = katana.isDetailedRoutingSuccess()
    katana.finalizeLayout()
    katana.destroy()
    return bool(is_whole)


def _um(value: int) -> float:
    return float(Hurricane.DbU.toPhysical(value, Hurricane.DbU.UnitPowerMicro))


def _wire_um(net: Any) -> float:
    """The length of the wires of a net, without what stands over its corners."""
    length = 0
    for part in net.getComponents():
        if isinstance(part, Hurricane.Horizontal):
            length += abs(part.getTargetX() - part.getSourceX())
        elif isinstance(part, Hurricane.Vertical):
            length += abs(part.getTargetY() - part.getSourceY())
    return _um(length)


def _place(instance: Any) -> dict[str, Any]:
    box = instance.getAbutmentBox()
    kinds = Hurricane.Transformation.Orientation
    lying = instance.getTransformation().getOrientation()
    if lying not in (kinds.ID, kinds.MY):
        sys.exit(f"{instance} lies otherwise than upright or upside down")
    flipped = lying == kinds.MY
    return {"x_um": _um(box.getXMin()), "y_um": _um(box.getYMin()), "flipped": flipped}


def main() -> None:
    given = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    metals = _technology(given["pitch_um"])
    _gauges(metals, given["pitch_um"], given["row_um"], given["site_um"])
    _settings()
    library = Hurricane.Library.create(Hurricane.DataBase.getDB().getRootLibrary(), "check")
    CRL.AllianceFramework.get().wrapLibrary(library, 0)
    cell, instances, nets = _design(given, library, metals)
    began = time.process_time()
    if "x_um" not in given["instances"][0]:
        etesian = Etesian.EtesianEngine.create(cell)
        etesian.setPlaceArea(Hurricane.Box(0, 0, u(given["width_um"]), u(given["height_um"])))
        etesian.place()
        etesian.clearColoquinte()
    placed = time.process_time()
    made: dict[str, Any] = {"places": [_place(instance) for instance in instances]}
    made["placing_s"] = placed - began
    if given["is_routed"]:
        is_whole = _routed(cell)
        made |= {"is_whole": is_whole, "wire_um": [_wire_um(net) for net in nets]}
        made["routing_s"] = time.process_time() - placed
    Path(sys.argv[2]).write_text(json.dumps(made), encoding="utf-8")


if __name__ == "__main__":
    main()
