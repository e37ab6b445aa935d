#include "core/base/xml.h"

#include <gtest/gtest.h>

namespace hansard {
namespace {

std::string why(std::string_view text, const XmlLimits& limits = {}) {
  const auto read = read_xml(text, limits);
  return read ? "read" : std::string(name(read.error().code)) + ": " + read.error().detail;
}

TEST(Xml, ReadsElementsWithNamespacesTextAndAttributes) {
  const auto root = read_xml(
      "\xEF\xBB\xBF<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<!-- hello -->"
      "<D:multistatus xmlns:D='DAV:' xmlns=\"urn:x\"><D:response a=\"1 &lt; 2\" D:b='c'>"
      "<href>/a&amp;b&#x20AC;&#13;</href ><x xmlns=''/><![CDATA[<raw>\r\n]]>tail\r</D:response></D:multistatus>\n<?end?>");
  ASSERT_TRUE(root) << root.error().detail;
  EXPECT_TRUE(root->is("DAV:", "multistatus"));
  const XmlElement* response = root->child("DAV:", "response");
  ASSERT_NE(response, nullptr);
  ASSERT_EQ(response->attributes.size(), 2u);
  EXPECT_EQ(response->attributes[0].ns, "");
  EXPECT_EQ(response->attributes[0].value, "1 < 2");
  EXPECT_EQ(response->attributes[1].ns, "DAV:");
  EXPECT_EQ(response->text, "<raw>\ntail\n");
  EXPECT_EQ(response->child("urn:x", "href")->text, "/a&b\xE2\x82\xAC\r");
  EXPECT_NE(response->child("", "x"), nullptr);
  EXPECT_EQ(response->child("DAV:", "href"), nullptr);
}

TEST(Xml, ABindingEndsWithItsElement) {
  EXPECT_EQ(why("<a><p:b xmlns:p='u'/><p:c/></a>"), "invalid: the answer is not well-formed XML: a prefix that nothing declares");
  const auto root = read_xml("<a xmlns='1'><b xmlns='2'/><c/></a>");
  ASSERT_TRUE(root);
  EXPECT_EQ(root->children[0].ns, "2");
  EXPECT_EQ(root->children[1].ns, "1");
}

TEST(Xml, RefusesDocumentTypesAndEntities) {
  EXPECT_NE(why("<!DOCTYPE a [<!ENTITY x 'ha'><!ENTITY y '&x;&x;'>]><a>&y;</a>").find("document type"), std::string::npos);
  EXPECT_NE(why("<a>&y;</a>").find("entity"), std::string::npos);
  EXPECT_NE(why("<a><!ELEMENT b ANY></a>").find("declaration"), std::string::npos);
  EXPECT_NE(why("<a>&#0;</a>").find("character reference"), std::string::npos);
  EXPECT_NE(why("<a>&#x110000;</a>").find("character reference"), std::string::npos);
  EXPECT_NE(why("<a>&#55296;</a>").find("character reference"), std::string::npos);
}

TEST(Xml, ReadsOnlyUtf8) {
  EXPECT_NE(why(std::string_view("\xFE\xFF\0<\0a", 6)).find("not in UTF-8"), std::string::npos);
  EXPECT_NE(why(std::string_view("\xFF\xFE<\0a\0", 6)).find("not in UTF-8"), std::string::npos);
  EXPECT_NE(why(std::string_view("<\0a\0/\0>\0", 8)).find("not in UTF-8"), std::string::npos);
  EXPECT_NE(why("<?xml version='1.0' encoding='iso-8859-1'?><a/>").find("not in UTF-8"), std::string::npos);
  for (const char* encoding : {"utf-8", "UTF-8", "us-ascii"})
    EXPECT_EQ(why("<?xml version='1.0' encoding='" + std::string(encoding) + "'?><a/>"), "read");
  EXPECT_EQ(why("<?xml version='1.0'?><a/>"), "read");
}

TEST(Xml, CharacterReferencesInBothForms) {
  EXPECT_EQ(read_xml("<a>&#65;&#x42;&#x6a;&#x4A;</a>")->text, "ABjJ");
  for (const char* bad : {"&#x;", "&#6a;", "&#xg;", "&#xFFFE;", "&#31;", "&#99999999;", "&#-5;"})
    EXPECT_NE(why("<a>" + std::string(bad) + "</a>").find("character reference"), std::string::npos) << bad;
  EXPECT_NE(why("<a>&#1234567890;</a>").find("character reference"), std::string::npos);
  EXPECT_NE(why("<a>&#123456789012345;</a>").find("bare '&'"), std::string::npos);
  EXPECT_NE(why("<a>fish & chips</a>").find("bare '&'"), std::string::npos);
}

TEST(Xml, TheXmlPrefixNeedsNoDeclaration) {
  const auto root = read_xml("<a xml:lang='en'/>");
  ASSERT_TRUE(root);
  EXPECT_EQ(root->attributes[0].ns, "http://www.w3.org/XML/1998/namespace");
  EXPECT_NE(why("<a p:lang='en'/>").find("a prefix that nothing declares"), std::string::npos);
}

TEST(Xml, RefusesWhatIsNotWellFormed) {
  for (const char* bad : {"",
                          " ",
                          "x",
                          "<",
                          "<a",
                          "<a>",
                          "<a></b>",
                          "</a>",
                          "<a/><b/>",
                          "<a/>x",
                          "<a b></a>",
                          "<a b=c/>",
                          "<a b='1' b='2'/>",
                          "<a b='<'/>",
                          "<a b='1'c='2'/>",
                          "<a>&</a>",
                          "<a>&#;</a>",
                          "<a>&#x;</a>",
                          "<:a/>",
                          "<a:/>",
                          "<a><!-- </a>",
                          "<a><![CDATA[ </a>",
                          "<a><? </a>",
                          "<a b='",
                          "\xFF\xFE<\0a\0",
                          "<?xml version='1.0' encoding='utf-16'?><a/>"}) {
    EXPECT_FALSE(read_xml(bad)) << bad;
  }
}

TEST(Xml, HoldsItsLimits) {
  std::string deep;
  for (int i = 0; i < 100; ++i) deep += "<a>";
  EXPECT_NE(why(deep).find("exhausted"), std::string::npos);
  std::string many = "<a>";
  for (int i = 0; i < 100; ++i) many += "<b/>";
  XmlLimits limits;
  limits.max_elements = 100;
  EXPECT_NE(why(many + "</a>", limits).find("exhausted: the XML answer has too many elements"), std::string::npos);
  limits.max_bytes = 10;
  EXPECT_NE(why(many, limits).find("too large"), std::string::npos);
  EXPECT_NE(why("<a xmlns='" + std::string(1000, 'x') + "'/>").find("exhausted"), std::string::npos);
  std::string attributes = "<a";
  for (int i = 0; i < 40; ++i) attributes += " b" + std::to_string(i) + "=''";
  EXPECT_NE(why(attributes + "/>").find("exhausted"), std::string::npos);
}

TEST(Xml, BrokenBytesAreRepairedAndEscapedTextComesBack) {
  EXPECT_EQ(read_xml("<a>x\xFFy</a>")->text, "x\xEF\xBF\xBDy");
  const std::string text = "a<b>&\"'\r\n\x01\xE2\x82\xAC";
  EXPECT_EQ(read_xml("<a b=\"" + xml_escape(text) + "\"/>")->attributes[0].value, "a<b>&\"'\r\n\xE2\x82\xAC");
}

}  // namespace
}  // namespace hansard
