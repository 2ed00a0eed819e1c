"""How far two places are from each other."""

from math import asin, cos, radians, sin, sqrt

from conversations.model import Location

EARTH_RADIUS_KM = 6_371.0088
"""The mean radius, IUGG."""


def distance_km(one: Location | None, other: Location | None) -> float | None:
    """Return the great-circle distance by the haversine formula; None when a place is unknown."""
    if one is None or other is None:
        return None
    if one.lat is None or one.lon is None or other.lat is None or other.lon is None:
        return None
    lat_1, lat_2 = radians(one.lat), radians(other.lat)
    half_lat, half_lon = (lat_2 - lat_1) / 2, radians(other.lon - one.lon) / 2
    chord = sin(half_lat) ** 2 + cos(lat_1) * cos(lat_2) * sin(half_lon) ** 2
    return 2 * EARTH_RADIUS_KM * asin(sqrt(min(1.0, chord)))
