/**
 * @file In place of d3-geo, 8 kB of the page: Plot imports it for maps of the Earth, of which the report has none. Each name that Plot
 * asks for is here, so that the build fails where it asks for another; whoever draws a map is told at once.
 */
const none = (): never => {
  throw new Error("internal: the page is built without geographic projections");
};

/** Plot makes one as it loads; without a projection nothing asks it. */
export const geoTransform = (): object => ({});

export {
  none as geoAlbers,
  none as geoAlbersUsa,
  none as geoAzimuthalEqualArea,
  none as geoAzimuthalEquidistant,
  none as geoCentroid,
  none as geoClipRectangle,
  none as geoConicConformal,
  none as geoConicEqualArea,
  none as geoConicEquidistant,
  none as geoEqualEarth,
  none as geoEquirectangular,
  none as geoGnomonic,
  none as geoGraticule10,
  none as geoMercator,
  none as geoOrthographic,
  none as geoPath,
  none as geoStereographic,
  none as geoStream,
  none as geoTransverseMercator,
};
